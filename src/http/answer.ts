// Runs a route and writes its answer as text. Routes that only read the store can be run on the query thread, so that
// long answers are neither copied between threads object by object nor written where notifications wait.

import type { Answer, QueryRequest } from "../storage/query.ts";
import { Refusal } from "./problem.ts";
import type { AnswerRoute, RouteDeps, RouteRequest } from "./route.ts";
import { routes } from "./routes/index.ts";

/** On the thread that it is called on. */
export async function answerHere(
  route: AnswerRoute,
  deps: RouteDeps,
  request: RouteRequest<never, never>,
): Promise<{ status?: number; cookie?: string; text: string }> {
  const answer = await route.handle(deps, request);
  if ("text" in answer) return answer;
  const { body, ...rest } = answer;
  return { ...rest, text: typeof body === "string" ? body : JSON.stringify(body) };
}

/**
 * For the query thread: what `GatewayDeps.render` asks.
 * @param path of a route that is `fromStore`
 * @returns JSON, or what else it answers, as UTF-8; its buffer is its own and may be transferred
 * @throws GatewayError what the store says of the question
 */
export async function renderRoute(
  path: string,
  request: RouteRequest<unknown, unknown>,
  query: <Request extends QueryRequest>(request: Request) => Answer<Request> | Promise<Answer<Request>>,
): Promise<Uint8Array<ArrayBuffer>> {
  const route = routes.find((each) => each.path === path && each.method === undefined);
  if (route?.kind !== "answer" || !route.fromStore) throw new Refusal(404, "not_found", `${path} is not answered by the store alone`, "");
  const deps = { query: async (asked: QueryRequest) => await query(asked) } as unknown as RouteDeps;
  const { text } = await answerHere(route, deps, request as RouteRequest<never, never>);
  return new TextEncoder().encode(text);
}
