// What the threads say to each other. Readings travel as columns whose buffers are handed over, never one message each.

import type { MessagePort } from "node:worker_threads";
import type { BrokerStatus } from "./broker/broker.ts";
import type { GatewayConfig } from "./config.ts";
import type { RuleCount, Wake } from "./engine/contract.ts";
import type { Command, CommandAnswer } from "./engine/dispatch/command.ts";
import type { AlertRecord, Transition } from "./engine/effect.ts";
import type { DiskState } from "./engine/input.ts";
import type { Books, Labels, SeriesDefinition } from "./engine/reading.ts";
import type { SeriesId } from "./engine/units.ts";
import type { ReloadOutcome, RouteRequest } from "./http/route.ts";
import type { Turn } from "./inbox.ts";
import type { FinishedRow } from "./storage/finished.ts";
import type { StoredMqtt } from "./storage/mqtt-rows.ts";
import type { QueryContext, QueryRequest } from "./storage/query.ts";
import type { Recovered } from "./storage/recovery.ts";
import type { JobName, JobOptions } from "./upkeep/job-list.ts";
import type { Room } from "./upkeep/room-watch.ts";

export type AlertChange = { readonly alert: AlertRecord; readonly transition: Transition };

export type ProcessorStart = { readonly dataDir: string; readonly logLevel: string; readonly servicePort: MessagePort };
export type ToProcessor =
  | { readonly kind: "turn"; readonly turn: Turn }
  /** What is held for want of room is committed now: the gateway ends. */
  | { readonly kind: "drain" }
  | { readonly kind: "close" };
export type FromProcessor =
  | {
      readonly kind: "ready";
      readonly recovered: Recovered;
      readonly series: readonly Omit<SeriesDefinition, "id">[];
      readonly planHash: string | undefined;
      /** Alerts that fire or recover. */
      readonly active: readonly AlertRecord[];
      readonly mqtt: StoredMqtt;
    }
  | { readonly kind: "settled"; readonly wakeAt: Wake; readonly changes: readonly AlertChange[]; readonly answers: readonly CommandAnswer[] }
  | { readonly kind: "holding"; readonly reason: string }
  /** The disk takes commits again; what was held was no turn. */
  | { readonly kind: "released" }
  | { readonly kind: "closed" };

/** What the service asks of the processor. */
export type ProcessorVerbs = {
  latest(since: number): { seq: number; series: Uint32Array; ts: Float64Array; value: Float64Array };
  status(nothing: undefined): { books: Books; seq: number };
  metrics(nothing: undefined): Promise<string>;
  rules(nothing: undefined): { plan: string | undefined; counts: readonly RuleCount[] };
};
/** Between processor and service, beside questions. */
/** `work`: rows of a job, which have time. */
export type RowsToProcessor = { readonly kind: "finished" | "work"; readonly rows: readonly FinishedRow[] };
export type ServiceToProcessor =
  | RowsToProcessor
  /** Nothing is committed for this reason; null: all is again. */
  | { readonly kind: "hold"; readonly reason: string | null }
  /** Bytes that the store may have; null: any. */
  | { readonly kind: "disk-limit"; readonly bytes: number | null };
export type ProcessorToService =
  | { readonly kind: "changes"; readonly changes: readonly AlertChange[] }
  | ({ readonly kind: "room" } & Room)
  | { readonly kind: "written"; readonly of: RowsToProcessor["kind"]; readonly count: number };

export type ServiceStart = {
  readonly config: GatewayConfig;
  readonly logLevel: string;
  readonly processorPort: MessagePort;
  readonly version: string;
  readonly startedAt: number;
  readonly dashboardDir: string;
};
/** What the service asks of the main thread. */
export type MainVerbs = {
  status(nothing: undefined): { broker: BrokerStatus; queue: { waiting: number; bytes: number; series: number; series_refused: number } };
  metrics(nothing: undefined): Promise<string>;
  deadLetter(letter: { id: string; reason: string }): void;
  /** Journals what somebody asked; answers when it is committed. */
  command(asked: { by: string; command: Command }): Promise<CommandAnswer>;
  /** Ids of series, those that are new defined; answers when they are committed. @throws GatewayError `series_limit` */
  define(asked: { series: readonly Labels[] }): Promise<readonly SeriesId[]>;
  /** Journals how the store is to its limit; answers when it is committed. */
  disk(room: { state: DiskState; used: number; limit: number }): Promise<void>;
  /** Reads the config again; answers when it is in force. */
  reload(nothing: undefined): Promise<ReloadOutcome>;
};
export type ToService =
  | { readonly kind: "readiness"; readonly ready: boolean; readonly reasons: string[] }
  | { readonly kind: "config"; readonly config: GatewayConfig }
  | { readonly kind: "close" };
export type FromService =
  /** `setup`: secret of the one-time link that makes the administrator, while there is no account. */
  | { readonly kind: "ready"; readonly http: { host: string; port: number }; readonly setup: string | undefined }
  | { readonly kind: "failed"; readonly message: string; readonly hint: string | undefined }
  | { readonly kind: "closed" };

export type QueryStart = Pick<QueryContext, "devices" | "zone" | "alarmTargets" | "gateway"> & { readonly dataDir: string };
export type RenderRequest = RouteRequest<unknown, unknown>;
export type QueryVerbs = {
  query(request: QueryRequest): unknown;
  /** Of a route of the HTTP API that the store alone answers: its JSON as UTF-8. */
  render(asked: { readonly path: string; readonly request: RenderRequest }): Promise<Uint8Array>;
};

export type JobStart = { readonly [Name in JobName]: { readonly job: Name; readonly dataDir: string; readonly options: JobOptions<Name> } }[JobName];
/** What a job asks of its starter. */
export type JobVerbs = {
  /** Resolves when the rows are committed. */
  emit(rows: FinishedRow[]): Promise<void>;
  /** Ids of series, those that are new defined. */
  define(series: readonly Labels[]): Promise<readonly SeriesId[]>;
};
