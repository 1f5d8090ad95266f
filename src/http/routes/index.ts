// The open list of routes. To add one: a file beside this and a line here; then renew docs/openapi.json.

import type { Route } from "../route.ts";
import { alert } from "./alert.ts";
import { alerts } from "./alerts.ts";
import { audit } from "./audit.ts";
import { events } from "./events.ts";
import { healthz } from "./healthz.ts";
import { login } from "./login.ts";
import { logout } from "./logout.ts";
import { me } from "./me.ts";
import { metrics } from "./metrics.ts";
import { notifications } from "./notifications.ts";
import { openapi } from "./openapi.ts";
import { performance } from "./performance.ts";
import { readings } from "./readings.ts";
import { readyz } from "./readyz.ts";
import { reload } from "./reload.ts";
import { rules } from "./rules.ts";
import { series } from "./series.ts";
import { setup } from "./setup.ts";
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
  alerts,
  alert,
  rules,
  reload,
  summaries,
  notifications,
  performance,
  events,
  me,
  login,
  logout,
  setup,
  audit,
];
