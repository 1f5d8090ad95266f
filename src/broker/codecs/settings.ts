// Settings that several codecs share.

import { z } from "zod";
import { pointerPattern } from "../json-pointer.ts";

export const mapSchema = z.record(z.string(), z.number()).meta({ description: "Numbers for words, for example { ON: 1, OFF: 0 }" });
export const pointerSchema = z
  .string()
  .regex(pointerPattern, "a JSON pointer begins with /, for example /DS18B20/Temperature")
  .meta({ description: "JSON pointer (RFC 6901)" });
