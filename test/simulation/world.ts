// One run: a machine with its clocks and its disk, a gateway, devices, channels, and what befalls them, all drawn from one seed.
// First things go wrong; then they go right again until nothing waits any more; then everything that was promised is checked.

import type { Clock } from "../../src/clock.ts";
import type { Database } from "../../src/storage/database.ts";
import { createChannels } from "./channels.ts";
import { createDevice, type Device, type Habits } from "./device.ts";
import { createDisk } from "./disk.ts";
import { createEventLoop, type Life, settlePromises } from "./event-loop.ts";
import { type Gateway, startGateway, type Watch } from "./gateway.ts";
import { rollupProblems, stateProblems } from "./invariants.ts";
import { createLedger } from "./ledger.ts";
import { letPeopleAct } from "./people.ts";
import { drawConfigs, type SimulatedConfig } from "./plans.ts";
import { attemptProblems, deliveryProblems } from "./promises.ts";
import { createRandom, type Random } from "./random.ts";
import { createReference } from "./reference.ts";
import { befall, type Trouble, troubles } from "./trouble.ts";

export type Run = {
  readonly seed: number;
  /** Troubles that do not befall this run, though they are drawn. */
  readonly without?: readonly string[];
  /** Devices at most. */
  readonly devices?: number;
  /** How long things go wrong at most, virtual minutes. */
  readonly minutes?: number;
  readonly trace?: (line: string) => void;
};

export type Outcome = {
  readonly problems: readonly string[];
  readonly troubles: readonly Trouble[];
  readonly devices: number;
  readonly minutes: number;
  readonly figures:
    | {
        readonly readings: number;
        readonly turns: number;
        readonly starts: number;
        readonly transitions: number;
        readonly attempts: number;
        readonly dead: number;
      }
    | undefined;
};

/** An ordinary morning. */
const BEGIN = Date.UTC(2025, 10, 24, 8, 0, 0);
const MINUTE = 60_000;
const HOUR = 3_600_000;
/** After so long without a reading every bucket has closed. */
const SILENCE_MS = 2.2 * HOUR;
/** Until every notification is delivered or dead: 72 hours by a wall clock that may have been set back by two days, twice. */
const DELIVERY_MS_MAX = 170 * HOUR;
const outside: Life = { isAlive: true };

/** To be called where no promise is being settled (`fromTop`). */
export function simulate(run: Run): Outcome {
  const world = createWorld(run);
  const rejected = (reason: unknown): void => world.violate(`a promise was rejected and nobody heard: ${(reason as Error)?.stack ?? String(reason)}`);
  process.on("unhandledRejection", rejected);
  try {
    return world.live();
  } finally {
    settlePromises();
    process.off("unhandledRejection", rejected);
    world.remove();
  }
}

function createWorld(run: Run) {
  const random = createRandom(`${run.seed}`);
  const loop = createEventLoop(random.stream("loop"), 2_000_000);
  const problems: string[] = [];
  const violate = (text: string): void => {
    if (problems.length < 20) problems.push(text);
    tell(`VIOLATED: ${text}`);
  };
  const tell = (text: string): void => run.trace?.(`${stamp(loop.peek())} ${text}`);
  const drawn = draw(run, random);
  const has = (trouble: Trouble): boolean => drawn.troubles.includes(trouble);
  const wall = { offset: 0, drift: has("clock-drifts") ? random.between(-2e-4, 2e-4) : 0 };
  const truth = (): number => BEGIN + loop.peek();
  const clock: Clock = { monotonic: () => loop.now(), now: () => Math.floor(truth() + wall.offset + loop.peek() * wall.drift) };
  const disk = createDisk();
  const configs = drawConfigs(random.stream("configs"));
  const ledger = createLedger();
  const reference = createReference(ledger);
  const figures = { readings: 0, turns: 0, starts: 0, transitions: 0, attempts: 0, dead: 0 };
  const channels = createChannels(loop, random.stream("channels"), (farEnd, attempt) => {
    figures.attempts += 1;
    tell(`${attempt.notification.id} (${attempt.notification.state}) goes to ${farEnd.name}, which is ${farEnd.weather}`);
    if (db !== undefined) attemptProblems(db, farEnd, attempt).forEach(violate);
  });
  let db: Database | undefined;
  let config = configs[0] as SimulatedConfig;
  let gateway: Gateway | undefined;
  let isCalm = false;
  let isEnded = false;
  let acceptClock = false;
  let unanswered = 0;
  let restless = 0;

  const watch: Watch = {
    recovered(pipeline, opened) {
      db = opened;
      figures.starts += 1;
      const { seq, rows, differing } = pipeline.recovered;
      tell(`recovered ${rows} rows up to ${seq}`);
      if (differing.length > 0) violate(`recovery decides otherwise about rows ${differing.join(", ")}`);
      [...reference.catchUp(opened), ...ledger.problems(pipeline.engine.books()), ...reference.problems(opened)].forEach(violate);
    },
    committed(turn, effects) {
      figures.turns += 1;
      for (const { to, alert, evidence, ts } of effects?.transitions ?? []) {
        figures.transitions += 1;
        tell(`${evidence.rule} ${alert}: ${evidence.from} → ${to} at ${new Date(ts).toISOString()} by ${evidence.trigger}`);
      }
      for (const input of turn.inputs) if (input.kind === "readings") figures.readings += input.batch.series.length;
    },
    settled(wakeAt, { at, up }, isQuiet) {
      const isPast = (wakeAt.up !== undefined && wakeAt.up <= up) || (wakeAt.now !== undefined && wakeAt.now <= at);
      restless = isQuiet && isPast ? restless + 1 : 0;
      if (restless > 20) violate(`the engine wants to be woken at ${JSON.stringify(wakeAt)}, which is past (${at}, ${up}), again and again`);
    },
    taken: ledger.taken,
    released: ledger.released,
  };

  const devices: Device[] = Array.from({ length: drawn.devices }, (_, index) =>
    createDevice(
      { loop, random: random.stream(`device-${index}`), truth, gateway: () => gateway, violate, tell },
      `d${index}`,
      habitsOf(has),
      drawn.intervalMs,
    ),
  );

  function start(): void {
    if (gateway?.life.isAlive) return;
    tell(`starts${acceptClock ? " and accepts the wall clock" : ""}`);
    const stream = random.stream(`gateway-${figures.starts}`);
    const options = { acceptClock, snapshotAfter: stream.whole(1, 200), bytesMax: has("small-inbox") ? stream.whole(20, 400) : 1e6 };
    gateway = startGateway({ loop, random: stream, clock, disk, channels, watch, tell, ended }, config, options);
  }

  function ended(why: string): void {
    tell(`ended: ${why}`);
    void gateway?.unanswered().then((count) => {
      unanswered += count;
    });
    for (const device of devices) device.dropped();
    if (isEnded) return;
    const isLong = !isCalm && has("long-absence") && random.chance(0.3);
    loop.schedule("world", outside, isLong ? random.spread(10 * MINUTE, 8 * HOUR) : random.spread(100, 20_000), start);
  }

  /** Lets time pass in slices until something holds. */
  function passUntil(isTrue: () => boolean, sliceMs: number, mostMs: number, what: string): void {
    const until = loop.peek() + mostMs;
    while (problems.length === 0 && !isTrue()) {
      if (loop.peek() > until) return violate(`after ${mostMs} ms of calm: ${what}`);
      loop.run(loop.peek() + sliceMs, () => problems.length > 0);
    }
  }

  function calm(): void {
    tell("calm");
    isCalm = true;
    acceptClock = true;
    disk.disarm();
    disk.full(false);
    channels.calm();
    for (const device of devices) device.stop();
    loop.run(loop.peek() + MINUTE, () => problems.length > 0);
    // Whoever runs it sets things right: a gateway that refuses connections is started again.
    if (gateway?.life.isAlive && !gateway.isOpen()) gateway.kill("started again by hand");
  }

  function live(): Outcome {
    start();
    for (const device of devices) device.start();
    const blows = { loop, random: random.stream("troubles"), disk, channels, wall, tell, gateway: () => gateway, isCalm: () => isCalm, reload };
    befall(blows, drawn.troubles, drawn.minutes * MINUTE);
    const people = { loop, random: random.stream("people"), db: () => db, now: () => clock.now(), gateway: () => gateway, isCalm: () => isCalm, tell };
    if (people.random.chance(0.5)) letPeopleAct(people, drawn.minutes * MINUTE);
    loop.run(drawn.minutes * MINUTE, () => problems.length > 0);
    calm();
    const isSent = (): boolean => devices.every((device) => device.waiting() === 0) && gateway?.isIdle() === true;
    passUntil(isSent, 5_000, 12 * HOUR, `readings still wait: ${devices.map((device) => device.waiting()).join(", ")}; ${gateway?.describe()}`);
    loop.run(loop.peek() + SILENCE_MS, () => problems.length > 0);
    if (has("doom") && random.chance(0.8)) {
      tell("the wall clock goes on by 71 hours, so that days of attempts need not be lived through");
      wall.offset += 71 * HOUR;
    }
    const waiting = db?.prepare<[], number>("SELECT count(*) FROM notification WHERE disposition = 'waiting'").pluck();
    passUntil(() => waiting?.get() === 0, has("doom") ? 10 * MINUTE : 5_000, DELIVERY_MS_MAX, "notifications still wait");
    isEnded = true;
    gateway?.close();
    passUntil(() => gateway?.life.isAlive !== true, 1_000, HOUR, "the gateway does not end");
    if (problems.length === 0) check();
    return { problems, troubles: drawn.troubles, devices: drawn.devices, minutes: drawn.minutes, figures };
  }

  function reload(): void {
    config = random.pick(configs);
    tell(`reloads: ${config.plan.rules.map(({ name }) => name).join(", ")}`);
    if (gateway?.life.isAlive) gateway.reload(config);
  }

  function check(): void {
    const [store, pipeline] = [db, gateway?.pipeline()];
    if (store === undefined || pipeline === undefined) return violate("the gateway never ran");
    const books = pipeline.engine.books();
    [...reference.catchUp(store), ...ledger.problems(books), ...ledger.historyProblems(unanswered), ...reference.problems(store)].forEach(violate);
    figures.dead = reference.dead.size;
    [...rollupProblems(store, ledger), ...deliveryProblems(store, channels.farEnds)].forEach(violate);
    stateProblems(store, config.plan, reference.engine, reference.at()).forEach(violate);
  }

  return { live, violate, remove: () => disk.remove() };
}

type Drawn = { readonly troubles: Trouble[]; readonly devices: number; readonly minutes: number; readonly intervalMs: number };

function chatty(run: Run, chosen: readonly Trouble[], random: Random): Drawn {
  const minutes = Math.min(random.spread(2, 30), run.minutes ?? Number.POSITIVE_INFINITY);
  const left = chosen.filter((trouble) => !run.without?.includes(trouble));
  const conflicts: Trouble[] = left.includes("conflicts") || run.without?.includes("conflicts") ? [] : ["conflicts"];
  return { troubles: [...left, ...conflicts], devices: 1, minutes, intervalMs: (minutes * MINUTE) / random.whole(300, 700) };
}

/** What this run is made of. */
function draw(run: Run, random: Random): Drawn {
  const share = random.between(0.1, 0.6);
  const rare: Partial<Record<Trouble, number>> = { doom: 0.015 };
  const chosen = troubles.filter((trouble) => random.chance(rare[trouble] ?? share));
  // Days of attempts take long: such a run is small.
  const isLong = chosen.includes("doom");
  const devices = random.whole(1, isLong ? 2 : 8);
  const minutes = random.spread(2, isLong ? 10 : 240);
  const messages = random.spread(20, isLong ? 50 : 200);
  // One device that says much, so that what it said first is forgotten.
  const isChatty = !isLong && random.chance(0.08);
  if (isChatty) return chatty(run, chosen, random);
  return {
    troubles: chosen.filter((trouble) => !run.without?.includes(trouble)),
    devices: Math.min(devices, run.devices ?? devices),
    minutes: Math.min(minutes, run.minutes ?? minutes),
    intervalMs: Math.max(200, (minutes * MINUTE * devices) / messages),
  };
}

const habitsOf = (has: (trouble: Trouble) => boolean): Habits => ({
  skew: has("skew"),
  reboots: has("reboots"),
  future: has("future"),
  timeless: has("timeless"),
  nonsense: has("nonsense"),
  silence: has("silence"),
  outages: has("outages"),
  disorder: has("disorder"),
  conflicts: has("conflicts"),
});

/** `0:03:12.045` since the begin. */
function stamp(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${parts.map((part, index) => (index === 0 ? `${part}` : `${part}`.padStart(2, "0"))).join(":")}.${`${Math.floor(ms % 1000)}`.padStart(3, "0")}`;
}
