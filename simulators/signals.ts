// Sensor signals as pure functions of event time: a daily rhythm, a cycle, wandering, noise, and faults on a timetable.
// The value at an instant depends on settings, seed and instant alone, never on what was asked before: one seed, one recording.

/** What a sensor measures when all is well. Values are in the sensor's own unit. */
export type Signal = {
  /** The mean. */
  readonly base: number;
  /** A cosine over the UTC day, highest at `peakHour` (0 to 24). */
  readonly daily?: { readonly amplitude: number; readonly peakHour: number };
  /** A regular swing, as of a compressor: a sine, or a saw that rises slowly and falls at once. */
  readonly cycle?: { readonly amplitude: number; readonly periodMs: number; readonly shape: "sine" | "saw" };
  /** Slow wandering without a pattern, within ± amplitude, turning about every `periodMs`. */
  readonly wander?: { readonly amplitude: number; readonly periodMs: number };
  /** Standard deviation of the noise of each single reading. */
  readonly noise: number;
  /** Digits after the point that the sensor reports. */
  readonly decimals: number;
  readonly min?: number;
  readonly max?: number;
};

/** When a fault lasts, counted from the origin that the caller gives: once, or again every `everyMs`. */
export type FaultTime = { readonly fromMs: number; readonly lastsMs: number; readonly everyMs?: number };

export type Fault = FaultTime &
  (
    | { readonly kind: "drift" /** Added per hour since the fault began. */; readonly perHour: number }
    | { readonly kind: "step"; readonly by: number /** Time constant of the way there; 0 for at once. */; readonly settleMs: number }
    | { readonly kind: "spike"; readonly by: number /** Share of the readings that are hit, 0 to 1. */; readonly share: number }
    | { readonly kind: "stuck" }
    | { readonly kind: "dropout" }
    | { readonly kind: "offline" }
  );

/**
 * The reading of a signal at `ts`.
 * @param origin epoch ms from which the faults' timetable counts
 * @param ts epoch ms, UTC
 * @returns undefined while the sensor gives none (`dropout`); an `offline` device measures on and sends later
 */
export function readSignal(signal: Signal, faults: readonly Fault[], seed: number, origin: number, ts: number): number | undefined {
  let at = ts;
  let offset = 0;
  for (const fault of faults) {
    const sinceMs = elapsedIn(fault, ts - origin);
    if (sinceMs === undefined) continue;
    if (fault.kind === "dropout") return undefined;
    if (fault.kind === "stuck") at = Math.min(at, ts - sinceMs);
    if (fault.kind === "drift") offset += (fault.perHour * sinceMs) / 3_600_000;
    if (fault.kind === "step") offset += fault.settleMs === 0 ? fault.by : fault.by * (1 - Math.exp(-sinceMs / fault.settleMs));
    if (fault.kind === "spike" && unitHash(seed ^ 0x5bd1e995, ts) < fault.share) offset += fault.by;
  }
  const value = calmValue(signal, seed, at) + offset;
  const bounded = Math.min(signal.max ?? Number.POSITIVE_INFINITY, Math.max(signal.min ?? Number.NEGATIVE_INFINITY, value));
  return Number(bounded.toFixed(signal.decimals));
}

/** Whether a fault of this kind is on at `ts`. */
export function hasFault(faults: readonly Fault[], kind: Fault["kind"], origin: number, ts: number): boolean {
  return faults.some((fault) => fault.kind === kind && elapsedIn(fault, ts - origin) !== undefined);
}

/** A seeded stream of numbers in [0, 1) (mulberry32): for what needs an order, not an instant. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    return mix(state) / 0x1_0000_0000;
  };
}

/** A seed of one's own for each name, so that adding a device changes no other one. */
export function seedOf(seed: number, name: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193) >>> 0;
  return mix(hash);
}

function calmValue(signal: Signal, seed: number, ts: number): number {
  let value = signal.base;
  const { daily, cycle, wander } = signal;
  if (daily !== undefined) value += daily.amplitude * Math.cos((2 * Math.PI * (ts / 3_600_000 - daily.peakHour)) / 24);
  if (cycle !== undefined) {
    // Devices switched on at different times: the phase is the seed's.
    const turns = ts / cycle.periodMs + unitHash(seed, 0x9e37);
    const phase = turns - Math.floor(turns);
    value += cycle.amplitude * (cycle.shape === "sine" ? Math.sin(2 * Math.PI * phase) : 2 * phase - 1);
  }
  if (wander !== undefined) value += wander.amplitude * smoothNoise(seed ^ 0x2545f491, ts / wander.periodMs);
  return signal.noise === 0 ? value : value + signal.noise * gaussian(seed, ts);
}

/** Milliseconds since the fault began, or undefined while it is not on. */
function elapsedIn(fault: FaultTime, sinceOrigin: number): number | undefined {
  const since = sinceOrigin - fault.fromMs;
  if (since < 0) return undefined;
  const elapsed = fault.everyMs === undefined ? since : since % fault.everyMs;
  return elapsed < fault.lastsMs ? elapsed : undefined;
}

/** Value noise in [-1, 1]: random heights at whole numbers, a smooth curve between them. */
function smoothNoise(seed: number, position: number): number {
  const cell = Math.floor(position);
  const within = position - cell;
  const weight = within * within * (3 - 2 * within);
  const left = unitHash(seed, cell) * 2 - 1;
  const right = unitHash(seed, cell + 1) * 2 - 1;
  return left + (right - left) * weight;
}

/** Box and Muller's transform of two hashes. */
function gaussian(seed: number, ts: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - unitHash(seed ^ 0x68e31da4, ts)));
  return radius * Math.cos(2 * Math.PI * unitHash(seed ^ 0x1b56c4e9, ts));
}

/** A hash of seed and a whole number (up to 2^53) as a number in [0, 1). */
function unitHash(seed: number, whole: number): number {
  const low = whole >>> 0;
  const high = Math.floor(whole / 0x1_0000_0000) >>> 0;
  return mix(mix((seed >>> 0) ^ mix(low)) ^ Math.imul(high + 1, 0x85ebca6b)) / 0x1_0000_0000;
}

/** The finalizer of mulberry32: each input bit moves about half of the output's. */
function mix(input: number): number {
  let hash = Math.imul(input ^ (input >>> 15), input | 1);
  hash ^= hash + Math.imul(hash ^ (hash >>> 7), hash | 61);
  return (hash ^ (hash >>> 14)) >>> 0;
}
