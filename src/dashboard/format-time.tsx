// An instant on the page: short, with the whole of it for those who point at it and for machines.

import { formatTime } from "./format.ts";

export function Time({ at, now }: { at: string; now: number }) {
  return (
    <time dateTime={at} title={at}>
      {formatTime(Date.parse(at), now)}
    </time>
  );
}
