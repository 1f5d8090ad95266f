// The codecs. To add one: a file, and a line here; test/contracts/codec.test.ts tests it by its being listed.

import type { Codec } from "./codec.ts";
import { json } from "./json.ts";
import { plain } from "./plain.ts";

export const codecs: readonly Codec<unknown>[] = [json, plain];
