// The contract of a scenario: devices with their signals and faults, and the rules that belong to them.
// A scenario is plain data made from a number of devices; the fleet gives it time, seed and sockets.

import type { Fault, Signal } from "../signals.ts";

export type SimulatedMetric = {
  /** The topic's last level. */
  readonly metric: string;
  readonly unit: string;
  /** Milliseconds of simulated time between two readings. */
  readonly everyMs: number;
  readonly signal: Signal;
  /** On the timetable of the fleet, whose origin is its start. */
  readonly faults: readonly Fault[];
};

/** A device publishes each metric on `sensors/{site}/{device}/{metric}`. */
export type SimulatedDevice = { readonly device: string; readonly labels: Readonly<Record<string, string>>; readonly metrics: readonly SimulatedMetric[] };

/** A rule as it stands in a rules file. */
export type ScenarioRule = Readonly<Record<string, unknown>> & { readonly name: string };

export type Scenario = {
  readonly name: string;
  /** One sentence for people. */
  readonly about: string;
  readonly site: string;
  /** Devices when nobody says how many. */
  readonly devicesDefault: number;
  /** The device with this index, from 0; any index is possible. */
  device(index: number): SimulatedDevice;
  readonly rules: readonly ScenarioRule[];
};

export const SECOND = 1000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
