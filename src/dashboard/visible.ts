// Which elements are on the screen (or near it). What is not is kept up only now and then, so that a thousand sensors
// cost no more than those that somebody sees.

import { type ReadonlySignal, type Signal, useComputed, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

const watched = new WeakMap<Element, Signal<boolean>>();
const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const seen = watched.get(target);
      if (seen !== undefined) seen.value = isIntersecting;
    }
  },
  { rootMargin: "200px" },
);

/** A ref for an element, and whether it is on the screen. */
export function useVisible<Shown extends Element>(): { ref: RefObject<Shown | null>; isVisible: Signal<boolean> } {
  const ref = useRef<Shown>(null);
  const isVisible = useSignal(false);
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    watched.set(element, isVisible);
    observer.observe(element);
    return () => observer.unobserve(element);
  }, [isVisible]);
  return { ref, isVisible };
}

const UNSEEN_EVERY_MS = 60_000;

/**
 * Follows `source` while visible, else looks at it once a minute; `phase` spreads the looks of many.
 * @param now the clock that it goes by, in ms
 */
export function useFollowed<Value>(
  source: ReadonlySignal<Value>,
  isVisible: ReadonlySignal<boolean>,
  now: ReadonlySignal<number>,
  phase: number,
): ReadonlySignal<Value> {
  const round = useComputed(() => (isVisible.value ? 0 : Math.floor((now.value + ((phase * 997) % UNSEEN_EVERY_MS)) / UNSEEN_EVERY_MS)));
  return useComputed(() => (round.value === 0 ? source.value : source.peek()));
}
