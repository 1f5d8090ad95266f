// Answers what storage/query.ts lets one ask. Each is a pure function over a read-only connection: it only selects, and it is
// limited in rows and in time. Consistent within one answer only as far as its parts are: no read transaction spans them.

import { GatewayError } from "../error.ts";
import { readAccounts } from "./accounts.ts";
import { answerAlert, answerAlerts } from "./alert-query.ts";
import { answerAudit } from "./audit.ts";
import type { Database } from "./database.ts";
import { answerExplain } from "./explain-query.ts";
import { answerCounts, answerNotifications, answerOutbox, answerOutboxRow, answerRejected } from "./notification-query.ts";
import { answerPerformance } from "./performance-query.ts";
import { type Answer, LIMIT_MAX, type QueryContext, type QueryRequest } from "./query.ts";
import { answerReadings } from "./readings-query.ts";
import { answerReport } from "./report-query.ts";
import { answerRuleVersions } from "./rule-versions-query.ts";
import { answerSeries } from "./series-query.ts";
import { answerOverrides, answerShelves, answerSilenced, answerSilences } from "./silence-query.ts";
import { answerSummaries } from "./summary-query.ts";
import { answerUncompacted } from "./uncompacted-query.ts";

/**
 * @param db opened read-only
 * @throws GatewayError `query_invalid`, `query_too_large`, `query_too_long`
 */
export function answerQuery<Request extends QueryRequest>(db: Database, request: Request, context: QueryContext): Answer<Request> {
  checkLimits(request);
  return answer(db, request, context) as Answer<Request>;
}

function answer(db: Database, request: QueryRequest, context: QueryContext): Answer<QueryRequest> {
  switch (request.kind) {
    case "series":
      return answerSeries(db, request, context);
    case "readings":
      return answerReadings(db, request, context);
    case "alerts":
      return answerAlerts(db, request, context);
    case "alert":
      return answerAlert(db, request);
    case "explain":
      return answerExplain(db, request, context.zone.name);
    case "summaries":
      return answerSummaries(db, request, context);
    case "report":
      return answerReport(db, request, context);
    case "notifications":
      return answerNotifications(db, request);
    case "outbox_row":
      return answerOutboxRow(db, request);
    case "outbox":
      return answerOutbox(db, request);
    case "rejected":
      return answerRejected(db, request);
    case "rule_versions":
      return answerRuleVersions(db, request, context);
    case "counts":
      return answerCounts(db);
    case "uncompacted":
      return answerUncompacted(db);
    case "accounts":
      return readAccounts(db);
    case "audit":
      return answerAudit(db, request);
    case "performance":
      return answerPerformance(db, request, context);
    case "silences":
      return answerSilences(db, request);
    case "shelves":
      return answerShelves(db, request);
    case "overrides":
      return answerOverrides(db, request);
    case "silenced":
      return answerSilenced(db, request, context);
    default: {
      const never: never = request;
      return never;
    }
  }
}

/** What a cursor of each kind looks like; they come back from outside, where one may be mistyped. */
const cursors: Partial<Record<QueryRequest["kind"], RegExp>> = {
  series: /^\d{1,15}$/,
  readings: /^\d{1,15}$/,
  alerts: /^-?\d{1,16}\..{0,200}$/s,
  summaries: /^-?\d{4,6}-\d\d-\d\d\.\d{1,15}$/,
  audit: /^\d{1,15}$/,
  notifications: /^-?\d{1,16}\..{0,200}$/s,
  silences: /^-?\d{1,16}\..{0,200}$/s,
  shelves: /^-?\d{1,16}\..{0,200}$/s,
};

function checkLimits(request: QueryRequest): void {
  if ("limit" in request && request.limit !== undefined && !(Number.isInteger(request.limit) && request.limit >= 1 && request.limit <= LIMIT_MAX))
    throw new GatewayError("query_invalid", `limit must be a whole number from 1 to ${LIMIT_MAX}`, { hint: "ask for fewer rows and go on with the cursor" });
  if ("cursor" in request && request.cursor !== undefined && !cursors[request.kind]?.test(request.cursor))
    throw new GatewayError("query_invalid", "the cursor is not one that this list gave", { hint: "leave it out to begin at the first row" });
  if ("step" in request && typeof request.step === "number" && !(Number.isSafeInteger(request.step) && request.step > 0))
    throw new GatewayError("query_invalid", "the step must be at least a millisecond", { hint: "write 1m, 1h, day or raw" });
}
