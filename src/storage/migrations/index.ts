// The open list of migrations, in order; forward only.

import { initial } from "./001-initial.ts";

export const migrations = [initial] as const;
