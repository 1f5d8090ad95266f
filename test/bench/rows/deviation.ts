// The anomaly detector beside the detectors that the literature knows, on synthetic labelled recordings by the rule of the Numenta Anomaly Benchmark,
// and its price: time per reading and bytes of state per series. The recordings are ours: the figures compare detectors, they are not the benchmark's.

import { DEVIATION_THRESHOLD_DEFAULT, DeviationDetector } from "../../../src/engine/deviation.ts";
import { StateWriter } from "../../../src/engine/state.ts";
import { scoreAt, scoreCorpus } from "../../engine/deviation/benchmark-score.ts";
import { contestants, runContestant } from "../../engine/deviation/contestants.ts";
import { createCorpus } from "../../engine/deviation/recordings.ts";
import type { BenchOptions, Figure, Row } from "../row.ts";

/** Recordings of each shape, and the seeds of the corpora: on the first the detector was made, the others were drawn after its settings were chosen. */
const PER_SHAPE = 2;
const SEEDS = [1, 31_337] as const;

export const deviation: Row = {
  name: "deviation",
  title: "anomaly score against peers; 100 for a perfect detector, 0 for none",
  run: (options) => Promise.resolve([...SEEDS.flatMap((seed) => figuresOf(options, seed)), ...prices()]),
};

function figuresOf(options: BenchOptions, seed: number): Figure[] {
  const corpus = createCorpus(seed, PER_SHAPE);
  return Object.entries(contestants).flatMap(([name, create]) => {
    options.say(`seed ${seed}: ${name}`);
    const scores = runContestant(create, corpus);
    const best = scoreCorpus(corpus, scores);
    const what = `seed ${seed}, ${name}`;
    if (name !== "deviation") return [{ what, value: best.score, unit: "of 100" }];
    return [
      { what, value: best.score, unit: "of 100", budget: { sense: "at least", limit: 50, aim: 58 } },
      { what: `${what}, default threshold`, value: scoreAt(corpus, scores, DEVIATION_THRESHOLD_DEFAULT).score, unit: "of 100" },
      { what: `${what}, windows found`, value: best.found, unit: `of ${best.windows}` },
      { what: `${what}, readings per false alarm`, value: best.rows / Math.max(1, best.falseAlarms), unit: "" },
    ] satisfies Figure[];
  });
}

function prices(): Figure[] {
  const [recording] = createCorpus(SEEDS[0], 1).filter(({ name }) => name.startsWith("mentions"));
  if (recording === undefined) throw new Error("the corpus has no such shape");
  const detector = new DeviationDetector();
  const begun = performance.now();
  recording.values.forEach((value, row) => {
    detector.score(recording.ts[row] as number, value);
  });
  const took = performance.now() - begun;
  const writer = new StateWriter();
  detector.save(writer);
  return [
    { what: "time per reading", value: (took * 1000) / recording.values.length, unit: "µs", budget: { sense: "at most", limit: 50, aim: 20 } },
    { what: "state of a series", value: writer.saved().numbers.byteLength, unit: "bytes", budget: { sense: "at most", limit: 16_384, aim: 12_288 } },
  ];
}
