// Progress of long work: a bar that redraws itself on a terminal, a plain line now and then elsewhere.

import type { Clock } from "../src/clock.ts";

/** What is written to: process.stderr, or a stand-in. */
export type ProgressStream = { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };

export type Progress = { update(done: number, note?: string): void /** Leaves the last state standing. */; end(done: number, note?: string): void };

const BAR_WIDTH = 30;
const REDRAW_MS = 100;
const PLAIN_MS = 5000;

/** @param options.total how much there is to do, or null when nobody knows */
export function createProgress(stream: ProgressStream, clock: Clock, options: { total: number | null; unit: string }): Progress {
  const startedAt = clock.monotonic();
  let drawnAt = stream.isTTY ? Number.NEGATIVE_INFINITY : startedAt;

  function line(done: number, note: string): string {
    const seconds = Math.max(0.001, (clock.monotonic() - startedAt) / 1000);
    const figures = `${count(done)}${options.total === null ? "" : ` of ${count(options.total)}`} ${options.unit}, ${count(done / seconds)}/s`;
    return note === "" ? figures : `${figures}, ${note}`;
  }
  function draw(done: number, note: string): void {
    drawnAt = clock.monotonic();
    if (!stream.isTTY) {
      stream.write(`${line(done, note)}\n`);
      return;
    }
    const share = options.total ? Math.min(1, done / options.total) : 0;
    const bar = options.total ? `[${"#".repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, ".")}] ` : "";
    stream.write(`\r\x1b[2K${`${bar}${line(done, note)}`.slice(0, (stream.columns ?? 80) - 1)}`);
  }
  return {
    update(done, note = "") {
      if (clock.monotonic() - drawnAt >= (stream.isTTY ? REDRAW_MS : PLAIN_MS)) draw(done, note);
    },
    end(done, note = "") {
      draw(done, note);
      if (stream.isTTY) stream.write("\n");
    },
  };
}

const count = (value: number): string => Math.round(value).toLocaleString("en-US");
