// The first page: what somebody who was woken at three needs, from top to bottom.

import { useComputed, useSignalEffect } from "@preact/signals";
import { Account } from "./account.tsx";
import { Asked, Firing, Pending, Resolved } from "./alerts.tsx";
import { Brand } from "./brand.tsx";
import { formatExactCount } from "./format.ts";
import { Gateway, TroubleBanner } from "./gateway.tsx";
import { OnCall } from "./on-call.tsx";
import { Sensors } from "./sensors.tsx";
import { HiddenLine, Silences } from "./silences.tsx";
import type { Store } from "./store.ts";
import { ThemeButton } from "./theme.tsx";

export function App({ store }: { store: Store }) {
  const firing = useComputed(() => (store.alerts.value ?? []).filter(({ state }) => state !== "pending").length);
  const name = useComputed(() => store.status.value?.name ?? "");
  useSignalEffect(() => {
    const title = [name.value, "Highwater"].filter(Boolean).join(" · ");
    document.title = firing.value > 0 ? `(${firing.value}) firing · ${title}` : title;
    document.querySelector('link[rel="icon"]')?.setAttribute("href", firing.value > 0 ? "./firing.svg" : "./calm.svg");
  });
  return (
    <>
      <a class="skip" href="#main">
        To the alerts
      </a>
      <header class="top">
        <Brand />
        <h1>{name.value || "Gateway"}</h1>
        <Connection store={store} />
        <ThemeButton />
        <Account store={store} />
      </header>
      <TroubleBanner store={store} />
      <main id="main" tabIndex={-1}>
        <div class="alerting-column">
          <Silences store={store} />
          <Asked store={store} />
          <Verdict store={store} firing={firing.value} />
          <HiddenLine store={store} />
          <Firing store={store} />
          <Pending store={store} />
        </div>
        <Sensors store={store} />
        <div class="side">
          <OnCall store={store} />
          <Gateway store={store} />
          <Resolved store={store} />
        </div>
      </main>
    </>
  );
}

/** The one sentence that answers "do I have to get up?". */
function Verdict({ store, firing }: { store: Store; firing: number }) {
  const sensors = store.sensors.value.length;
  const silent = store.silent.value.size;
  if (store.alerts.value === undefined) return <p class="verdict">Asking the gateway …</p>;
  if (firing > 0) {
    return (
      <p class="verdict unseen" role="status">
        {firing === 1 ? "1 alert fires" : `${formatExactCount(firing)} alerts fire`}
      </p>
    );
  }
  return (
    <p class="verdict calm" role="status">
      <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
        <path d="M2.500 8.500l3.500 3.500l7.500-8" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" />
      </svg>
      <span>
        <b>Nothing fires.</b>{" "}
        {sensors > 0 && (
          <span class="faint">
            {formatExactCount(sensors)} sensors are watched{silent > 0 && <span class="uneasy">, {formatExactCount(silent)} silent</span>}.
          </span>
        )}
      </span>
    </p>
  );
}

const words = { connecting: "Connecting", live: "Live", lost: "Not heard" } as const;

function Connection({ store }: { store: Store }) {
  const { kind } = store.connection.value;
  return <p class={`connection ${kind}`}>{words[kind]}</p>;
}
