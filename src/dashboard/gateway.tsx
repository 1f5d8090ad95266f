// How the gateway itself is: the books of its readings, what it waits to send, and topics that nobody reads.

import type { StatusAnswer } from "../http/routes/status.ts";
import { formatCount, formatExactCount, formatSpan, formatSpanExactly } from "./format.ts";
import type { Store } from "./store.ts";

const books = ["accepted", "late", "duplicate", "conflict", "quarantined", "rejected"] as const;
/** What should not go unseen: these say that something is wrong with a device or a source. */
const uneasy: ReadonlySet<string> = new Set(["conflict", "quarantined", "rejected"]);

export function Gateway({ store }: { store: Store }) {
  const status = store.status.value;
  if (status === undefined) return null;
  const { readings, unmatched } = status;
  return (
    <aside aria-labelledby="gateway" class="gateway">
      <h2 id="gateway">Gateway</h2>
      <dl class="books">
        <Book name="received" count={readings.received} />
        {books.map((name) => (
          <Book key={name} name={name} count={readings[name]} />
        ))}
      </dl>
      <Outbox status={status} />
      <p class="faint">
        {formatExactCount(status.broker.connections)} connections · up {formatSpanExactly(status.uptime_ms)} · version {status.version}
      </p>
      {unmatched.length > 0 && <Unmatched unmatched={unmatched} />}
    </aside>
  );
}

function Book({ name, count }: { name: string; count: number }) {
  return (
    <div class={uneasy.has(name) && count > 0 ? "uneasy" : ""}>
      <dt>{name}</dt>
      <dd title={formatExactCount(count)}>{formatCount(count)}</dd>
    </div>
  );
}

function Outbox({ status: { outbox } }: { status: StatusAnswer }) {
  const oldest = outbox.oldest_waiting_ms;
  if (outbox.waiting === 0 && outbox.dead === 0) return <p class="faint">All notifications are delivered.</p>;
  return (
    <p class="uneasy">
      {formatExactCount(outbox.waiting)} notifications wait
      {typeof oldest === "number" && oldest >= 10_000 && `, the oldest for ${formatSpan(oldest)}`}
      {outbox.dead > 0 && `, ${formatExactCount(outbox.dead)} were given up`}.
    </p>
  );
}

function Unmatched({ unmatched }: { unmatched: StatusAnswer["unmatched"] }) {
  return (
    <details>
      <summary>
        {formatExactCount(unmatched.length)} {unmatched.length === 1 ? "topic matches" : "topics match"} no source
      </summary>
      <ul class="unmatched">
        {unmatched.slice(0, 10).map(({ topic, count, suggestion }) => (
          <li key={topic}>
            <b>{topic}</b> <span class="faint">{formatCount(count)} messages. To read it, add to sources:</span>
            <code>{suggestion}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Says that what is shown is old, or that no readings are taken: then "nothing fires" means nothing. */
export function TroubleBanner({ store }: { store: Store }) {
  const connection = store.connection.value;
  const refusing = store.status.value?.broker.refusing;
  return (
    <div role="alert">
      {connection.kind === "lost" && (
        <p class="banner">
          <b>The gateway is not heard</b> for {formatSpan(store.now.value - connection.since)}. What this page shows is old; it tries again by itself.
        </p>
      )}
      {connection.kind !== "lost" && typeof refusing === "string" && (
        <p class="banner">
          <b>The gateway takes no readings:</b> {refusing}
        </p>
      )}
    </div>
  );
}
