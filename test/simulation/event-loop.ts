// The only time there is: a queue of events by when they happen. Nothing waits for real; between two events the promises that
// can go on do. Each event belongs to a thread and a life: those of a process that was killed never happen, and a thread
// that is blocked gets none until it goes on.

import type { Timers } from "../../src/clock.ts";
import type { Random } from "./random.ts";

export type ThreadName = "world" | "main" | "processor" | "service";
export type Life = { isAlive: boolean };

/** Thrown where a process was killed while it was at work. */
export class Killed extends Error {}

type Event = { readonly at: number; readonly order: number; readonly thread: ThreadName; readonly life: Life; readonly work: () => void; isCancelled: boolean };

export type EventLoop = ReturnType<typeof createEventLoop>;

export function createEventLoop(random: Random, eventsMax: number) {
  const heap: Event[] = [];
  let now = 0;
  let order = 0;
  let handled = 0;
  const blocked = new Set<ThreadName>();
  const setAside: Event[] = [];

  function schedule(thread: ThreadName, life: Life, delayMs: number, work: () => void): () => void {
    const event: Event = { at: now + Math.max(0, delayMs), order: order++, thread, life, work, isCancelled: false };
    push(heap, event);
    return () => {
      event.isCancelled = true;
    };
  }

  /** Does the next event, if it is due by `until`. @returns false when there is none */
  function once(until: number): boolean {
    const event = heap[0];
    if (event === undefined || event.at > until) return false;
    pop(heap);
    if (event.isCancelled || !event.life.isAlive) return true;
    if (blocked.has(event.thread)) {
      setAside.push(event);
      return true;
    }
    if (++handled > eventsMax) throw new Error(`more than ${eventsMax} events: something goes round in circles`);
    now = Math.max(now, event.at);
    event.work();
    settlePromises();
    return true;
  }

  return {
    schedule,
    /** Milliseconds that never step. Reading them takes a little time too. */
    now(): number {
      now += random.next() * 0.02;
      return now;
    },
    peek: (): number => now,

    /** Lets time pass until it is `until`, or until `isOver`. */
    run(until: number, isOver: () => boolean = () => false): void {
      while (!isOver()) {
        if (once(until)) continue;
        now = Math.max(now, until);
        return;
      }
    },

    /** The thread does nothing for so long; the others go on. @throws Killed when its process is */
    block(thread: ThreadName, life: Life, ms: number): void {
      const until = now + ms;
      blocked.add(thread);
      while (life.isAlive && once(until));
      blocked.delete(thread);
      for (const event of setAside.splice(0)) push(heap, event);
      if (!life.isAlive) throw new Killed("killed while the disk refused");
      now = Math.max(now, until);
    },

    /** Timers as Node has them: whole milliseconds from 1, now and then a little early, often late. */
    timers(thread: ThreadName, life: Life): Timers {
      return {
        after(ms, work) {
          const delay = ms >= 1 && ms <= 0x7fff_ffff ? Math.trunc(ms) : 1;
          const late = random.chance(0.02) ? random.between(1, 80) : random.waiting(0.2);
          return schedule(thread, life, delay - (random.chance(0.3) ? random.next() : 0) + (random.chance(0.5) ? late : 0), work);
        },
        soon: (work) => void schedule(thread, life, 0, work),
      };
    },

    /** A way from one thread to another: what is sent arrives in order, soon. */
    port(to: ThreadName, life: Life): (work: () => void) => void {
      let last = 0;
      return (work) => {
        last = Math.max(last, now + (random.chance(0.05) ? random.between(1, 40) : random.waiting(0.15)));
        schedule(to, life, last - now, work);
      };
    },
  };
}

/** Node's own way to let promises go on; it has no other name. */
const { _tickCallback: settlePromises } = process as unknown as { _tickCallback: () => void };

/** Runs `work` where no promise is being settled, so that it can settle them itself. */
export function fromTop<Result>(work: () => Result): Promise<Result> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        assertPromisesSettle();
        resolve(work());
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}

function assertPromisesSettle(): void {
  let hasSettled = false;
  void Promise.resolve().then(() => {
    hasSettled = true;
  });
  settlePromises();
  if (!hasSettled) throw new Error("this Node does not let promises settle on demand; the simulation needs another way");
}

/** Lets every promise go on that can. */
export { settlePromises };

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Event[], event: Event): void {
  let index = heap.push(event) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!isBefore(event, heap[parent] as Event)) break;
    heap[index] = heap[parent] as Event;
    index = parent;
  }
  heap[index] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop() as Event;
  if (heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child += 1;
    if (!isBefore(heap[child] as Event, last)) break;
    heap[index] = heap[child] as Event;
    index = child;
  }
  heap[index] = last;
}
