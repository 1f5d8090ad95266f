// How far a long piece of work has come: a bar that is drawn over on a terminal, now and then a plain line elsewhere.

import type { Clock } from "../clock.ts";

export type Progress = { readonly done: number; readonly of: number; readonly text: string };

const BAR_COLUMNS = 24;
/** A terminal is drawn at most so often; elsewhere a line comes at most so often. */
const DRAW_MS = 100;
const LINE_MS = 5000;

type Stream = { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown };

export function createProgressLine(stream: Stream, clock: Clock): { show(progress: Progress): void; end(): void } {
  const isTerminal = stream.isTTY === true;
  let shownAt = isTerminal ? Number.NEGATIVE_INFINITY : clock.monotonic();
  let isDrawn = false;
  return {
    show(progress) {
      const now = clock.monotonic();
      if (now - shownAt < (isTerminal ? DRAW_MS : LINE_MS) && progress.done < progress.of) return;
      if (!isTerminal && now - shownAt < LINE_MS) return;
      shownAt = now;
      if (!isTerminal) {
        stream.write(`${progress.text}\n`);
        return;
      }
      isDrawn = true;
      stream.write(`\r\x1b[2K${bar(progress)} ${progress.text}`.slice(0, (stream.columns ?? 80) + 4));
    },
    /** Takes the bar away, so that what follows begins on a clean line. */
    end() {
      if (isDrawn) stream.write("\r\x1b[2K");
    },
  };
}

function bar({ done, of }: Progress): string {
  const full = of > 0 ? Math.round((done / of) * BAR_COLUMNS) : BAR_COLUMNS;
  return `${"█".repeat(full)}${"░".repeat(BAR_COLUMNS - full)}`;
}
