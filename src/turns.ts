// Work that strangers can ask for and that is dear, such as looking at a password: so many at once, so many wait, all others are refused.

/** @returns runs `work` when it is its turn; undefined when too many wait already */
export function createTurns(atOnce: number, waitingMax: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <Value>(work: () => Promise<Value>): Promise<Value | undefined> => {
    if (running >= atOnce) {
      if (waiting.length >= waitingMax) return undefined;
      // Whoever ends hands its place over.
      await new Promise<void>((resolve) => void waiting.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
