// The open list of scenarios. To add one: a file beside this and a line here.

import { coldChain } from "./cold-chain.ts";
import { greenhouse } from "./greenhouse.ts";
import { pump } from "./pump.ts";
import type { Scenario } from "./scenario.ts";
import { serverRoom } from "./server-room.ts";

export const scenarios: readonly Scenario[] = [coldChain, greenhouse, pump, serverRoom];
