// The formats of history files: an open list, one line each. A file's format is told by its ending, or named.

import { GatewayError } from "../../error.ts";
import type { HistoryFormat } from "../format.ts";
import { csv } from "./csv.ts";
import { lineProtocol } from "./line-protocol.ts";
import { ndjson } from "./ndjson.ts";

export const historyFormats: readonly HistoryFormat[] = [csv, ndjson, lineProtocol];

/**
 * The format that is named, or that the file's ending says, before `.gz` or `.zst`.
 * @throws GatewayError `unknown_format`
 */
export function formatOf(file: string, name?: string): HistoryFormat {
  const names = historyFormats.map((format) => format.name).join(", ");
  if (name !== undefined) {
    const named = historyFormats.find((format) => format.name === name);
    if (named === undefined) throw new GatewayError("unknown_format", `there is no format ${JSON.stringify(name)}`, { hint: `give one of ${names}` });
    return named;
  }
  const plain = file.toLowerCase().replace(/\.(?:gz|zst)$/, "");
  const found = historyFormats.find(({ endings }) => endings.some((ending) => plain.endsWith(ending)));
  if (found === undefined)
    throw new GatewayError("unknown_format", `${file}: its name does not say in which format it is`, { hint: `give one with --format: ${names}` });
  return found;
}
