// Checks of the alerts: each has its transitions, and each transition is of an alert that is there. Both are written in one commit, and
// nothing takes either away.

import type { Database } from "../database.ts";
import { type Found, restore } from "./problem.ts";

export function checkAlerts(db: Database, found: Found): void {
  const say = (what: string): void => found({ kind: "alert", place: {}, what, mend: restore });
  const bare = db.prepare<[], string>("SELECT id FROM alert WHERE NOT EXISTS (SELECT 1 FROM transition WHERE transition.alert = alert.id)");
  for (const id of bare.pluck().iterate()) say(`alert ${id} has no transitions`);
  const lost = db.prepare<[], { alert: string; count: number }>(
    "SELECT alert, count(*) AS count FROM transition WHERE NOT EXISTS (SELECT 1 FROM alert WHERE alert.id = transition.alert) GROUP BY alert",
  );
  for (const { alert, count } of lost.iterate()) say(`alert ${alert} is not there, and has ${count} ${count === 1 ? "transition" : "transitions"}`);
}
