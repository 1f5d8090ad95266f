// The contract of a route: one file per path, one line in routes/index.ts. Its zod schemas are the parser of its
// parameters and its body, the OpenAPI page and the contract that the tests hold its answers to. Routes only read, but for those
// of `post` and `delete`. Whether a caller may ask is decided before (access.ts), by what the route `needs`.

import type { z } from "zod";
import type { Command, CommandAnswer } from "../engine/dispatch/command.ts";
import type { Rule, RulePlan } from "../engine/rule.ts";
import type { EpochMs } from "../engine/units.ts";
import type { Answer, QueryRequest } from "../storage/query.ts";
import type { Accounts } from "./accounts/accounts.ts";
import type { Caller, Needed } from "./accounts/rights.ts";
import type { LabelFilter } from "./parameter.ts";
import type { PlacedProblem } from "./problem.ts";
import type { Status, StatusAnswer } from "./status.ts";

/** The newest reading of each series that changed after commit `since`, as columns; `since` −1: of all series. */
export type Latest = { readonly seq: number; readonly series: Uint32Array; readonly ts: Float64Array; readonly value: Float64Array };

/** How many series a rule watches, and how many of its alerts stand. */
export type RuleCounts = { readonly series: number; readonly pending: number; readonly firing: number; readonly recovering: number };
/** `plan`: hash of what is in force; undefined before the first rules. */
export type RulesInForce = { readonly plan: string | undefined; readonly rules: readonly (RuleCounts & { readonly rule: Rule })[] };

export type ReloadOutcome =
  | {
      readonly kind: "ok";
      /** Hash of what is in force. */
      readonly plan: string;
      readonly changed: boolean;
      readonly rules: number;
      readonly sources: number;
      readonly devices: number;
      readonly receivers: number;
      readonly notes: readonly PlacedProblem[];
    }
  /** What was in force stays. */
  | { readonly kind: "invalid"; readonly problems: readonly PlacedProblem[] };

/** What the composition root hands in; all of it happens on other threads. */
export type GatewayDeps = {
  query<Request extends QueryRequest>(request: Request): Promise<Answer<Request>>;
  status(): Promise<Status>;
  ready(): { ready: boolean; reasons: string[] };
  /** Prometheus' text format, of all threads. */
  metricsText(): Promise<string>;
  latest(since: number): Promise<Latest>;
  rules(): Promise<RulesInForce>;
  /** Of the config in force. */
  plan(): RulePlan;
  /** Reads the config again; resolves when it is in force. @throws GatewayError */
  reload(): Promise<ReloadOutcome>;
  /** Journals what somebody asks of the engine; resolves when it is committed. @throws GatewayError */
  command(by: string, command: Command): Promise<CommandAnswer>;
  /** Runs a route that is `fromStore` where the store is: `renderRoute` of answer.ts on the query thread. Without it they are run here. */
  render?(path: string, request: RouteRequest<unknown, unknown>): Promise<Uint8Array>;
};

/** What routes may ask. */
export type RouteDeps = Omit<GatewayDeps, "status"> & {
  status(): Promise<StatusAnswer>;
  /** The gateway's name. */
  readonly gateway: string;
  /** The wall clock. */
  now(): EpochMs;
  /** The OpenAPI page, as text. */
  openapi(): string;
  readonly accounts: Accounts;
  /** Gives the browser a session, or takes it away. */
  cookie(secret: string | undefined, maxAgeS: number): string;
};

export type RouteRequest<Query, Params, Given = unknown> = {
  readonly query: Query;
  readonly params: Params;
  readonly labels: LabelFilter;
  /** As `body` of the route read it. */
  readonly body?: Given;
  readonly caller?: Caller;
  /** Hash of the session that came along. */
  readonly session?: string;
};

type Parts<Query extends z.ZodObject, Params extends z.ZodObject, Body extends z.ZodType, Given extends z.ZodType = z.ZodType> = {
  /** `post` and `delete` change something; default: get. */
  readonly method?: "get" | "post" | "delete";
  /** What a caller needs; default: of get `read`, else `operate`. */
  readonly needs?: Needed;
  /** Of the JSON that is sent; without it none is. */
  readonly body?: Given;
  /** Bytes that it may have, where they are more than a kilobyte. */
  readonly bodyBytesMax?: number;
  /** In fastify's notation: `/api/v1/alerts/:id`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly query: Query;
  readonly params: Params;
  /** Whether parameters that `query` does not name filter by label. */
  readonly takesLabels: boolean;
  /** Of the JSON of 200, or of the text where `contentType` is not JSON. */
  readonly answer: Body;
  readonly contentType: string;
  /** Of texts that it gives instead where it is asked to; `headers` say which. */
  readonly otherTypes?: readonly string[];
  /** What 503 with the same kind of body means, where it is a regular answer. */
  readonly unwell?: string;
};

export type RouteAnswer<Body> =
  | { readonly status?: 200 | 503; readonly body: Body /** `Set-Cookie`. */; readonly cookie?: string }
  /** Sent as it is. */
  | { readonly text: string };

export type AnswerRoute<
  Query extends z.ZodObject = z.ZodObject,
  Params extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
  Given extends z.ZodType = z.ZodType,
> = Parts<Query, Params, Body, Given> & {
  readonly kind: "answer";
  /** It needs `deps.query` alone, answers 200 and may be long. */
  readonly fromStore?: true;
  /** Of an answer 200, in place of what it would have; they follow from the request alone. */
  headers?(request: Pick<RouteRequest<z.output<Query>, z.output<Params>>, "query" | "params">): Readonly<Record<string, string>>;
  /** A text is sent as it is, anything else as JSON. @throws Refusal */
  handle(deps: RouteDeps, request: RouteRequest<z.output<Query>, z.output<Params>, z.output<Given>>): Promise<RouteAnswer<z.input<Body>>>;
};

/** The live stream: the server attaches the response to it. */
export type StreamRoute<Query extends z.ZodObject, Params extends z.ZodObject, Body extends z.ZodType> = Parts<Query, Params, Body> & {
  readonly kind: "stream";
};

export type Route = AnswerRoute | StreamRoute<z.ZodObject, z.ZodObject, z.ZodType>;

export const JSON_TYPE = "application/json; charset=utf-8";

/** Lets TypeScript infer the schemas of a route, then forgets them, so that routes fit into one list. */
export const defineRoute = <Query extends z.ZodObject, Params extends z.ZodObject, Body extends z.ZodType, Given extends z.ZodType = z.ZodType>(
  route: AnswerRoute<Query, Params, Body, Given> | StreamRoute<Query, Params, Body>,
): Route => route as Route;

export const neededFor = ({ needs, method = "get" }: Pick<Route, "needs" | "method">): Needed => needs ?? (method === "get" ? "read" : "operate");
