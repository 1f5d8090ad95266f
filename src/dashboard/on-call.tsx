// Who is on call now by each schedule, until when, and when nobody will be. Without schedules there is nothing to see.

import type { OncallAnswer } from "../http/routes/oncall.ts";
import { formatExactCount, formatSpan } from "./format.ts";
import { Time } from "./format-time.tsx";
import type { Store } from "./store.ts";

type Duty = OncallAnswer["schedules"][number];

/** Gaps that begin later are no matter of today. */
const GAPS_AHEAD_MS = 7 * 86_400_000;

export function OnCall({ store }: { store: Store }) {
  const duties = store.onCall.value;
  if (duties.length === 0) return null;
  return (
    <section aria-labelledby="on-call" class="on-call">
      <h2 id="on-call">On call</h2>
      <ul class="brief">
        {duties.map((duty) => (
          <DutyRow key={duty.schedule} duty={duty} now={store.now.value} />
        ))}
      </ul>
    </section>
  );
}

function DutyRow({ duty: { schedule, member, by, until, next, gaps }, now }: { duty: Duty; now: number }) {
  // The gap that is now is said by the name that is missing.
  const coming = member === null ? gaps.slice(1) : gaps;
  const ahead = coming.filter(({ start }) => Date.parse(start) < now + GAPS_AHEAD_MS);
  const [first, ...more] = ahead;
  const then = next?.member ?? (first?.start === until ? undefined : "nobody");
  return (
    <li>
      <span class="what">
        {member === null ? <b class="uneasy">nobody</b> : <b>{member}</b>} <span class="schedule">{schedule}</span>
      </span>
      {until !== null && (
        <span class="faint">
          until <Time at={until} now={now} />
          {then !== undefined && `, then ${then}`}
        </span>
      )}
      {by?.kind === "override" && <span class="faint">override{by.why !== "" && `: ${by.why}`}</span>}
      {first !== undefined && (
        <span class="uneasy gap">
          nobody from <Time at={first.start} now={now} /> for {formatSpan(Date.parse(first.end) - Date.parse(first.start))}
          {more.length > 0 && `, and ${formatExactCount(more.length)} more within 7 days`}
        </span>
      )}
    </li>
  );
}
