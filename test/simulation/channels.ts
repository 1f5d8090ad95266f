// The channels' far ends. Each has its weather: it delivers, fails, hangs, ignores being aborted, takes a notification and says
// that it did not, asks for patience, breaks. Everything that is sent is written down when it is sent, and what arrived too.

import type { Channel, Delivery } from "../../src/notify/channels/channel.ts";
import type { Notification } from "../../src/notify/notification.ts";
import type { EventLoop, Life } from "./event-loop.ts";
import { channelKeys } from "./plans.ts";
import type { Random } from "./random.ts";

const weathers = ["fine", "slow", "down", "hangs", "deaf", "forgetful", "patient", "breaks", "flaky", "picky"] as const;
type Weather = (typeof weathers)[number];

/** An attempt, from when it began until the channel told what became of it. */
export type Attempt = { readonly notification: Notification; readonly signal: AbortSignal; readonly process: Life; readonly service: Life; isOver: boolean };
/** `attempts` by what keeps their order: the group, or the alert. */
export type FarEnd = {
  readonly name: string;
  weather: Weather;
  readonly attempts: Map<string, Attempt[]>;
  /** Ids of what arrived, however often. */
  readonly arrived: Set<string>;
  doomed: boolean;
};

export type Channels = ReturnType<typeof createChannels>;

export const lineOf = ({ group, alert }: Notification): string => group ?? alert.id;

/** @param sent is told of each attempt before anything becomes of it */
export function createChannels(loop: EventLoop, random: Random, sent: (farEnd: FarEnd, attempt: Attempt) => void) {
  const outside: Life = { isAlive: true };
  const farEnds = new Map<string, FarEnd>(
    channelKeys.map(({ receiver, key }) => {
      const name = `${receiver} ${key}`;
      return [name, { name, weather: "fine" as Weather, attempts: new Map(), arrived: new Set(), doomed: false }];
    }),
  );
  const after = (ms: number, work: () => void): void => void loop.schedule("world", outside, ms, work);

  function answer(farEnd: FarEnd, { notification, signal, service }: Attempt): Promise<Delivery> {
    const { id } = notification;
    const { promise, resolve: hear, reject: fall } = Promise.withResolvers<Delivery>();
    // Who is dead hears no answer.
    const resolve = (delivery: Delivery): void => (service.isAlive ? hear(delivery) : undefined);
    const reject = (error: Error): void => (service.isAlive ? fall(error) : undefined);
    const arrive = (): void => void farEnd.arrived.add(id);
    const deliver = (ms: number): void =>
      after(ms, () => {
        arrive();
        resolve({ kind: "delivered" });
      });
    const fail = (ms: number, more: { afterMs?: number } = {}): void =>
      after(ms, () => resolve({ kind: "retry", reason: `${farEnd.name} does not want to`, cause: "server", ...more }));
    switch (farEnd.weather) {
      case "fine":
        deliver(random.spread(0.5, 50));
        break;
      case "slow":
        deliver(random.spread(500, 40_000));
        break;
      case "down":
        fail(random.spread(0.5, 3_000));
        break;
      case "hangs":
        signal.addEventListener("abort", () => fail(random.between(0, 500)));
        break;
      case "deaf": // not even an abort ends it; sometimes it arrived all the same
        if (random.chance(0.3)) after(random.spread(10_000, 100_000), arrive);
        break;
      case "forgetful": // it arrived, but the answer is lost
        after(random.spread(0.5, 50), arrive);
        fail(random.spread(50, 2_000));
        break;
      case "patient":
        fail(random.spread(0.5, 50), { afterMs: random.pick([0, 1_000, 30_000, 7_200_000]) });
        break;
      case "breaks":
        after(random.chance(0.5) ? 0 : 100, () => reject(new Error("a channel never rejects, but this one does")));
        break;
      case "flaky":
        if (random.chance(0.5)) deliver(random.spread(0.5, 500));
        else fail(random.spread(0.5, 500));
        break;
      case "picky":
        if (random.chance(0.3)) after(random.spread(0.5, 50), () => resolve({ kind: "failed", reason: "it does not like this one", cause: "refused" }));
        else deliver(random.spread(0.5, 50));
        break;
      default: {
        const never: never = farEnd.weather;
        return never;
      }
    }
    return promise;
  }

  return {
    farEnds,
    /** As the outbox of one service sees them. */
    channelOf(process: Life, service: Life): (type: string) => Channel<unknown> {
      const send: Channel<unknown>["send"] = async (settings, notification, signal) => {
        const { receiver, key } = settings as { receiver: string; key: string };
        const farEnd = farEnds.get(`${receiver} ${key}`) as FarEnd;
        const attempt: Attempt = { notification, signal, process, service, isOver: false };
        sent(farEnd, attempt);
        const line = lineOf(notification);
        const before = farEnd.attempts.get(line);
        if (before === undefined) farEnd.attempts.set(line, [attempt]);
        else before.push(attempt);
        try {
          if (farEnd.weather === "breaks" && random.chance(0.3)) throw new Error("a channel never throws, but this one does");
          return await answer(farEnd, attempt);
        } finally {
          attempt.isOver = true;
        }
      };
      return () => ({ type: "simulated", schema: undefined as never, send });
    },
    /** Another weather somewhere. @returns where and which */
    change(): string {
      const farEnd = random.pick([...farEnds.values()]);
      if (!farEnd.doomed) farEnd.weather = random.chance(0.4) ? "fine" : random.pick(weathers);
      return `${farEnd.name}: ${farEnd.weather}`;
    },
    /** One far end answers nothing any more, for days. */
    doom(): string {
      const farEnd = random.pick([...farEnds.values()]);
      farEnd.doomed = true;
      farEnd.weather = random.pick(["down", "hangs", "deaf"]);
      return `${farEnd.name} is ${farEnd.weather} for good`;
    },
    calm(): void {
      for (const farEnd of farEnds.values()) if (!farEnd.doomed) farEnd.weather = "fine";
    },
  };
}
