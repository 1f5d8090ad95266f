// Series of an import where no gateway runs: defined as a gateway does it, by an input that is journaled, so that whoever starts next knows
// them. No time passes by it: nothing falls due, and nobody is told. Needs the data directory's lock.

import type { Clock } from "../clock.ts";
import { type Labels, type SeriesDefinition, seriesKey } from "../engine/reading.ts";
import type { SeriesId } from "../engine/units.ts";
import { GatewayError } from "../error.ts";
import type { Log } from "../log.ts";
import { createMetrics } from "../metrics.ts";
import { createPipeline } from "../pipeline.ts";
import type { Database } from "../storage/database.ts";
import { IMPORT_SOURCE, seriesLimit } from "../storage/imports.ts";
import type { Define } from "./import.ts";

type Deps = { readonly db: Database; readonly clock: Clock; readonly log: Log };

/** @returns `close` is to be called at the end, whether anything was defined or not */
export function createDefiner({ db, clock, log }: Deps, seriesMax: number): { readonly define: Define; close(): void } {
  let open: ReturnType<typeof openEngine> | undefined;
  return {
    async define(series) {
      open ??= openEngine({ db, clock, log });
      return open.define(series, seriesMax);
    },
    close: () => open?.close(),
  };
}

/** The engine as the last run left it; it is needed only when there are new series. */
function openEngine({ db, clock, log }: Deps) {
  const pipeline = createPipeline({
    ...{ db, log, monotonic: clock.monotonic, metrics: createMetrics() },
    sleep: () => undefined,
    holding(reason) {
      throw new GatewayError("disk_refuses", `the disk refuses: ${reason}`, { hint: "make room; the same import goes on where it was" });
    },
  });
  const ids = new Map<string, SeriesId>(pipeline.engine.series().map(({ labels }, id) => [seriesKey(labels), id]));
  const { at, up } = pipeline.recovered;
  const instant = { at: at === 0 ? clock.now() : at, up };
  return {
    define(series: readonly Labels[], seriesMax: number): SeriesId[] {
      const missing = series.filter((labels) => !ids.has(seriesKey(labels)));
      if (ids.size + missing.length > seriesMax) throw seriesLimit(ids.size, missing.length, seriesMax);
      const defined = missing.map((labels): SeriesDefinition => {
        const id = ids.size;
        ids.set(seriesKey(labels), id);
        return { id, labels: Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))), source: IMPORT_SOURCE };
      });
      const none = { series: new Uint32Array(0), ts: new Float64Array(0), value: new Float64Array(0) };
      if (defined.length > 0) pipeline.turn({ inputs: [{ kind: "readings", ...instant, batch: { ...none, defined, rejected: {} } }], finished: [] });
      return series.map((labels) => ids.get(seriesKey(labels)) as SeriesId);
    },
    close: (): void => pipeline.close(),
  };
}
