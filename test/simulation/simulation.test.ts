// Some runs of the simulation; `npm run sim` does as many as there is time for. What fails here is repeated by the command
// in its message, which also makes it small.

import { describe, expect, it } from "vitest";
import { fromTop } from "./event-loop.ts";
import { simulate } from "./world.ts";

const RUNS = 300;
const PER_TEST = 20;
describe("the simulation", () => {
  it.each(Array.from({ length: RUNS / PER_TEST }, (_, index) => 1 + index * PER_TEST))("keeps every promise from seed %i on", async (first) => {
    for (let seed = first; seed < first + PER_TEST; seed++) {
      const { problems } = await fromTop(() => simulate({ seed }));
      expect(problems, `npm run sim -- --seed ${seed}`).toEqual([]);
    }
  });

  it("is the same each time", async () => {
    const tell = async (): Promise<string[]> => {
      const lines: string[] = [];
      await fromTop(() => simulate({ seed: 7, trace: (line) => lines.push(line) }));
      return lines;
    };
    const story = await tell();
    expect(story.length).toBeGreaterThan(50);
    expect(await tell()).toEqual(story);
  });
});
