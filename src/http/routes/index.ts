// The open list of routes. To add one: a file beside this and a line here; then renew docs/openapi.json.

import type { Route } from "../route.ts";
import { alert } from "./alert.ts";
import { alertAck } from "./alert-ack.ts";
import { alertComment } from "./alert-comment.ts";
import { alertInService } from "./alert-in-service.ts";
import { alertOutOfService } from "./alert-out-of-service.ts";
import { alertReset } from "./alert-reset.ts";
import { alertShelve } from "./alert-shelve.ts";
import { alertUnack } from "./alert-unack.ts";
import { alertUnshelve } from "./alert-unshelve.ts";
import { alerts } from "./alerts.ts";
import { audit } from "./audit.ts";
import { events } from "./events.ts";
import { explain } from "./explain.ts";
import { healthz } from "./healthz.ts";
import { login } from "./login.ts";
import { logout } from "./logout.ts";
import { me } from "./me.ts";
import { metrics } from "./metrics.ts";
import { notifications } from "./notifications.ts";
import { oncall } from "./oncall.ts";
import { openapi } from "./openapi.ts";
import { overrideMake } from "./override-make.ts";
import { overrideRemove } from "./override-remove.ts";
import { overrides } from "./overrides.ts";
import { performance } from "./performance.ts";
import { readings } from "./readings.ts";
import { readingsCsv } from "./readings-csv.ts";
import { readyz } from "./readyz.ts";
import { reload } from "./reload.ts";
import { report } from "./report.ts";
import { ruleDiff } from "./rule-diff.ts";
import { ruleVersions } from "./rule-versions.ts";
import { rules } from "./rules.ts";
import { scheduleCalendar } from "./schedule-calendar.ts";
import { schedules } from "./schedules.ts";
import { series } from "./series.ts";
import { setup } from "./setup.ts";
import { shelves } from "./shelves.ts";
import { silenceEnd } from "./silence-end.ts";
import { silenceMake } from "./silence-make.ts";
import { silencePreview } from "./silence-preview.ts";
import { silences } from "./silences.ts";
import { status } from "./status.ts";
import { summaries } from "./summaries.ts";

export const routes: readonly Route[] = [
  healthz,
  readyz,
  metrics,
  openapi,
  status,
  series,
  readings,
  readingsCsv,
  alerts,
  alert,
  ...[alertAck, alertUnack, alertComment, alertShelve, alertUnshelve, alertOutOfService, alertInService, alertReset],
  ...[silences, silenceMake, silenceEnd, silencePreview, shelves],
  explain,
  ...[oncall, schedules, scheduleCalendar, overrides, overrideMake, overrideRemove],
  rules,
  ruleVersions,
  ruleDiff,
  reload,
  summaries,
  report,
  notifications,
  performance,
  events,
  me,
  login,
  logout,
  setup,
  audit,
];
