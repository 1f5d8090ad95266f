// What hides alerts: silences and what is shelved, `#/silences`. Whoever may operate makes a silence here, sees beforehand what it
// would hide, and ends what is there.

import { useSignal } from "@preact/signals";
import type { Shelved } from "../http/routes/shelves.ts";
import type { Silence } from "../http/routes/silences.ts";
import { Hiding } from "./acts.tsx";
import { formatExactCount } from "./format.ts";
import { Time } from "./format-time.tsx";
import { SilenceForm } from "./silence-form.tsx";
import type { Store } from "./store.ts";

/** The one line that says that not everything is told. */
export function HiddenLine({ store }: { store: Store }) {
  const hidden = store.hidden.value;
  if (hidden === undefined || store.silencing.value !== undefined) return null;
  const active = hidden.silences.filter(({ state }) => state === "active").length;
  const shelved = hidden.shelves.filter(({ kind }) => kind !== "out_of_service").length;
  const out = hidden.shelves.length - shelved;
  const parts = [
    ...(active > 0 ? [`${counted(active, "silence")} in force`] : []),
    ...(shelved > 0 ? [`${counted(shelved, "alert")} shelved`] : []),
    ...(out > 0 ? [`${formatExactCount(out)} out of service`] : []),
  ];
  return (
    <p class="hidden-line">
      <a href="#/silences">Silences</a>
      {parts.length > 0 && (
        <b>
          {hidden.isCut && "at least "}
          {parts.join(", ")}
        </b>
      )}
    </p>
  );
}

const counted = (count: number, noun: string): string => `${formatExactCount(count)} ${noun}${count === 1 ? "" : "s"}`;

export function Silences({ store }: { store: Store }) {
  const prefilled = store.silencing.value;
  const hidden = store.hidden.value;
  if (prefilled === undefined) return null;
  return (
    <section aria-labelledby="silences">
      <div class="tools">
        <h2 id="silences" class="loud">
          Silences
        </h2>
        <a href="#/">Close them</a>
      </div>
      {store.mayOperate.value && <SilenceForm key={prefilled} prefilled={prefilled} store={store} />}
      {hidden === undefined && <p class="faint">Asking the gateway …</p>}
      {hidden?.silences.length === 0 && <p class="nothing">There are no silences.</p>}
      {hidden !== undefined && hidden.silences.length > 0 && (
        <ul class="brief">
          {hidden.silences.map((silence) => (
            <SilenceRow key={silence.id} silence={silence} store={store} />
          ))}
        </ul>
      )}
      {hidden !== undefined && hidden.shelves.length > 0 && (
        <>
          <h3>Shelved or out of service</h3>
          <ul class="brief">
            {hidden.shelves.map((shelved) => (
              <ShelvedRow key={`${shelved.rule} ${shelved.at} ${shelved.alert}`} shelved={shelved} store={store} />
            ))}
          </ul>
        </>
      )}
      {hidden?.isCut === true && <p class="faint">There are more: /api/v1/silences and /api/v1/shelves have all of them.</p>}
    </section>
  );
}

function SilenceRow({ silence, store }: { silence: Silence; store: Store }) {
  const { id, state, starts_at, ends_at, by, why } = silence;
  const now = store.now.value;
  return (
    <li>
      <span class="what">
        <code>{matchersText(silence)}</code>
      </span>
      <span>
        {state === "pending" ? (
          <>
            from <Time at={starts_at} now={now} /> until <Time at={ends_at} now={now} />
          </>
        ) : (
          <>
            until <Time at={ends_at} now={now} />
          </>
        )}
      </span>
      <span class="faint">
        {by}: {why}
      </span>
      <Undo store={store} name="End" about={matchersText(silence)} method="DELETE" path={`/api/v1/silences/${encodeURIComponent(id)}`} />
    </li>
  );
}

function ShelvedRow({ shelved, store }: { shelved: Shelved; store: Store }) {
  const { rule, labels, kind, by, why, alert, state } = shelved;
  const [name, act] = kind === "out_of_service" ? ["Return to service", "in-service"] : ["Unshelve", "unshelve"];
  const about = `${rule} ${labels.device ?? ""}`;
  return (
    <li>
      <span class="what">
        {alert === null ? <b>{rule}</b> : <a href={`#/alerts/${encodeURIComponent(alert)}`}>{rule}</a>} {labels.device} {labels.metric}
        {state !== null && state !== "resolved" && `, ${state}`}
      </span>
      <Hiding shelf={shelved} now={store.now.value} />
      <span class="faint">
        {by}: {why}
      </span>
      {alert !== null && <Undo store={store} name={name} about={about} method="POST" path={`/api/v1/alerts/${encodeURIComponent(alert)}/${act}`} />}
    </li>
  );
}

type UndoProps = { readonly store: Store; readonly name: string; readonly about: string; readonly method: "POST" | "DELETE"; readonly path: string };

function Undo({ store, name, about, method, path }: UndoProps) {
  const trouble = useSignal<string | undefined>(undefined);
  if (!store.mayOperate.value) return null;
  const undo = async (): Promise<void> => {
    const sent = await store.act(method, path, method === "POST" ? {} : undefined);
    trouble.value = sent.kind === "refused" ? sent.why : undefined;
  };
  return (
    <>
      <button type="button" class="undo" onClick={() => void undo()}>
        {name}
        <span class="unseen"> {about}</span>
      </button>
      {trouble.value !== undefined && (
        <span class="trouble" role="alert">
          {trouble.value}
        </span>
      )}
    </>
  );
}

const matchersText = ({ matchers }: Silence): string =>
  Object.entries(matchers)
    .flatMap(([label, patterns]) => [patterns].flat().map((pattern) => `${label}=${/\s/.test(pattern) ? `"${pattern}"` : pattern}`))
    .join(" ");
