// One recorder at a time, for tests that fill a store each: the one before is closed when the next is made, and the last after its test.

import { afterEach } from "vitest";
import { createRecorder, type Recorder } from "./recorder.ts";

/** @returns makes a recorder, as `createRecorder` does */
export function oneRecorder(): typeof createRecorder {
  let open: Recorder | undefined;
  const close = (): void => {
    open?.close();
    open = undefined;
  };
  afterEach(close);
  return (...settings) => {
    close();
    open = createRecorder(...settings);
    return open;
  };
}
