// What a thread's start leaves behind on its heap: sources, compilers, schemas. V8 would keep that room, more than a quarter of
// what an idle gateway takes, until the thread is busy.

/** As bin/highwater.js starts the gateway there is a `gc`; elsewhere there is none, and nothing is given back. */
const collect = (globalThis as { readonly gc?: (options: { readonly type: "major"; readonly execution: "sync"; readonly flavor: "last-resort" }) => void }).gc;

/** To be called once by a thread that is about to wait. Takes some 30 ms. */
export function giveBackRoom(): void {
  collect?.({ type: "major", execution: "sync", flavor: "last-resort" });
}
