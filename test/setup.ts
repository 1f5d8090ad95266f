// Before each test file: properties draw their examples from one seed, so that a run can be repeated and a change is judged by
// what it changed. HIGHWATER_SEED=7 draws others; HIGHWATER_SEED=random others each time, which is how to look for new mistakes.

import fc from "fast-check";

const { HIGHWATER_SEED: seed = "20261122" } = process.env;
if (seed !== "random") fc.configureGlobal({ seed: Number(seed) });
