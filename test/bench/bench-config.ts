// The gateway's config for the benchmark: twenty rules that match every series, ten threshold, five tumbling, three hopping, two absence.
// Ordinary load (20 to 22) breaches none; a reading of 95 breaches exactly one, `above 90`.

/** Predicates of every kind, with and without deadband and delay; only the first is ever breached. */
const thresholds = [
  { condition: { above: 90 } },
  { condition: { above: 100, clear_below: 97 } },
  { condition: { above: 110 }, for: "30s" },
  { condition: { above: 120, clear_below: 115 }, for: "1m" },
  { condition: { below: 0 } },
  { condition: { below: -10, clear_above: -5 } },
  { condition: { below: -20 }, for: "10s", keep_firing_for: "30s" },
  { condition: { outside: [-30, 130] } },
  { condition: { outside: [-40, 140], clear_inside: [-30, 130] } },
  { condition: { inside: [200, 300] } },
].map((rule) => ({ ...rule, condition: { type: "threshold", ...rule.condition } }));

const tumblings = [
  { window: { tumbling: "10s" }, aggregate: "avg", above: 100 },
  { window: { tumbling: "30s" }, aggregate: "max", above: 100 },
  { window: { tumbling: "1m" }, aggregate: "min", below: 0 },
  { window: { tumbling: "5m" }, aggregate: "sum", below: 0 },
  { window: { tumbling: "15m" }, aggregate: "count", above: 1_000_000 },
].map((condition) => ({ condition: { type: "window", ...condition } }));

const hoppings = [
  { window: { hopping: "1m", slide: "10s" }, aggregate: "avg", above: 100 },
  { window: { hopping: "10m", slide: "1m" }, aggregate: "max", above: 100 },
  { window: { hopping: "1h", slide: "5m" }, aggregate: "avg", below: 0 },
].map((condition) => ({ condition: { type: "window", ...condition } }));

const absences = ["1m", "5m"].map((after) => ({ condition: { type: "absence", after } }));

/**
 * @param webhookPort where alerts are sent to
 * @param count how many of the rules; the first alone raises the alerts
 */
export function benchBlocks(webhookPort: number, count = Number.POSITIVE_INFINITY): Record<string, unknown> {
  const rules = [...thresholds, ...tumblings, ...hoppings, ...absences].slice(0, count);
  return {
    sources: [{ topic: "sensors/{site}/{device}/{metric}", codec: "json" }],
    rules: rules.map((rule, index) => ({ name: `rule-${String(index + 1).padStart(2, "0")}`, match: { metric: "temperature" }, ...rule })),
    notify: {
      receivers: [{ name: "bench", webhook: { url: `http://127.0.0.1:${webhookPort}/alerts` } }],
      route: { receiver: "bench" },
      // Its alerts fire and resolve all the time.
      flapping: false,
    },
  };
}
