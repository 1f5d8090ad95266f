// What befalls a simulated gateway, each at random times while a run is not calm yet. What befalls devices are their habits.

import type { Channels } from "./channels.ts";
import type { Disk } from "./disk.ts";
import type { EventLoop, Life } from "./event-loop.ts";
import type { Gateway } from "./gateway.ts";
import type { Random } from "./random.ts";

/** All troubles by name, those of devices too; a run has some of them. */
export const troubles = [
  "kill",
  "kill-in-commit",
  "stop",
  "long-absence",
  "disk-full",
  "disk-refuses",
  "disk-fails",
  "clock-steps",
  "clock-drifts",
  "reload",
  "weather",
  "doom",
  "service-restart",
  "skew",
  "reboots",
  "future",
  "timeless",
  "nonsense",
  "silence",
  "outages",
  "disorder",
  "conflicts",
  "small-inbox",
] as const;
export type Trouble = (typeof troubles)[number];

type Blows = {
  readonly loop: EventLoop;
  readonly random: Random;
  readonly disk: Disk;
  readonly channels: Channels;
  readonly wall: { offset: number };
  readonly tell: (text: string) => void;
  readonly gateway: () => Gateway | undefined;
  readonly isCalm: () => boolean;
  readonly reload: () => void;
};

const outside: Life = { isAlive: true };

/** How often each strikes in a run, on average, and what it does. */
const blows: Partial<Record<Trouble, { readonly times: number; readonly strike: (world: Blows) => void }>> = {
  kill: { times: 3, strike: ({ gateway }) => gateway()?.kill("kill -9") },
  "kill-in-commit": {
    times: 4,
    strike: ({ disk, random }) => disk.arm({ kind: "kill", statements: Math.floor(random.spread(1, 60)) - 1, afterCommit: random.chance(0.3) }),
  },
  stop: { times: 2, strike: ({ gateway }) => gateway()?.close() },
  "disk-full": {
    times: 2,
    strike({ loop, disk, random, tell }) {
      const ms = random.spread(500, 120_000);
      tell(`the disk is full for ${Math.round(ms)} ms`);
      disk.full(true);
      loop.schedule("world", outside, ms, () => disk.full(false));
    },
  },
  "disk-refuses": {
    times: 6,
    strike: ({ disk, random }) =>
      disk.arm({ kind: "refuse", code: random.pick(["SQLITE_FULL", "SQLITE_BUSY"]), statements: Math.floor(random.spread(1, 60)) - 1 }),
  },
  "disk-fails": { times: 1, strike: ({ disk, random }) => disk.arm({ kind: "refuse", code: "SQLITE_IOERR_WRITE", statements: random.whole(0, 30) }) },
  "clock-steps": {
    times: 3,
    strike({ loop, random, wall, tell }) {
      const ms = random.pick([-1, 1]) * random.pick([100, 260, 2_000, 45_000, 61_000, 600_000, 10_800_000, 172_800_000]);
      tell(`the wall clock steps by ${ms} ms`);
      wall.offset += ms;
      if (random.chance(0.7)) loop.schedule("world", outside, random.spread(1_000, 3_600_000), () => (wall.offset -= ms));
    },
  },
  reload: { times: 4, strike: ({ reload }) => reload() },
  weather: { times: 12, strike: ({ channels, tell }) => tell(channels.change()) },
  doom: { times: 1, strike: ({ channels, tell }) => tell(channels.doom()) },
  "service-restart": { times: 2, strike: ({ gateway, random }) => gateway()?.restartService(random.chance(0.5)) },
};

/** @param ms how long things go wrong */
export function befall(world: Blows, chosen: readonly Trouble[], ms: number): void {
  for (const trouble of chosen) {
    const blow = blows[trouble];
    if (blow === undefined) continue;
    const random = world.random.stream(trouble);
    const next = (): void => {
      world.loop.schedule("world", outside, random.waiting(ms / blow.times), () => {
        if (world.isCalm()) return;
        if (trouble !== "weather") world.tell(`trouble: ${trouble}`);
        blow.strike({ ...world, random });
        next();
      });
    };
    next();
  }
}
