// What people do with alerts while a run is not calm yet: at random times, to alerts that stand or are long over, often what is refused.
// They ask the store which alerts there are, as the page does.

import type { Command } from "../../src/engine/dispatch/command.ts";
import type { Database } from "../../src/storage/database.ts";
import type { EventLoop, Life } from "./event-loop.ts";
import type { Gateway } from "./gateway.ts";
import type { Random } from "./random.ts";

export type People = {
  readonly loop: EventLoop;
  readonly random: Random;
  readonly db: () => Database | undefined;
  readonly now: () => number;
  readonly gateway: () => Gateway | undefined;
  readonly isCalm: () => boolean;
  readonly tell: (text: string) => void;
};

/** How often they do anything in a run, on average. */
const TIMES = 15;
const MINUTE = 60_000;
const NEWEST = 5;

const outside: Life = { isAlive: true };

type AlertRow = { id: string; rule: string; subject: string; labels: string };

function drawCommand({ random, now }: People, db: Database): Command | undefined {
  const alerts = db.prepare<[number], AlertRow>("SELECT id, rule, subject, labels FROM alert ORDER BY fired_at DESC, id LIMIT ?").all(NEWEST);
  const silences = db.prepare<[], string>("SELECT id FROM silence ORDER BY id").pluck().all();
  const span = random.whole(1, 30) * MINUTE;
  if (random.chance(0.15)) {
    const matchers = random.pick([
      [{ label: "severity", patterns: ["warning"] }],
      [{ label: "device", patterns: ["d[0-3]"] }],
      [{ label: "device", patterns: ["d1"] }],
    ]);
    const startsAt = now() + random.pick([0, MINUTE]);
    return { kind: "silence", matchers, startsAt, endsAt: startsAt + span, why: "works" };
  }
  if (silences.length > 0 && random.chance(0.1)) return { kind: "end_silence", id: random.pick(silences) };
  if (alerts.length === 0) return undefined;
  const { id, rule, subject, labels } = random.pick(alerts);
  const alert = { id, rule, subject, labels: JSON.parse(labels) as Record<string, string> };
  return random.pick<Command>([
    { kind: "acknowledge", alert: id, note: "seen" },
    { kind: "acknowledge", alert: id, note: "seen" },
    { kind: "unacknowledge", alert: id, note: "" },
    { kind: "comment", alert: id, text: "a door" },
    { kind: "shelve", alert, until: now() + span, why: "works" },
    { kind: "shelve", alert, until: null, why: "works" },
    { kind: "unshelve", alert, why: "" },
    { kind: "take_out_of_service", alert, why: "" },
    { kind: "return_to_service", alert, why: "" },
    { kind: "reset", alert: id, note: "" },
  ]);
}

/** @param ms how long they do anything */
export function letPeopleAct(people: People, ms: number): void {
  const { loop, random, db, gateway, isCalm, tell } = people;
  const next = (): void => {
    loop.schedule("world", outside, random.waiting(ms / TIMES), () => {
      if (isCalm()) return;
      const store = db();
      const command = store?.open === true && gateway()?.isOpen() === true ? drawCommand(people, store) : undefined;
      if (command !== undefined) {
        tell(`somebody asks: ${JSON.stringify(command)}`);
        gateway()?.command(command);
      }
      next();
    });
  };
  next();
}
