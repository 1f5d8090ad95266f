// The page to log in, and at /setup the page behind the one-time link, which makes the administrator. It knows nothing of the
// gateway: whoever has not logged in is told nothing.

import { useSignal } from "@preact/signals";
import { type ComponentChildren, render } from "preact";
import type { MeAnswer } from "../http/routes/me.ts";
import { Brand } from "./brand.tsx";
import { restoreTheme } from "./theme.tsx";

const PASSWORD_LENGTH_MIN = 10;

type Trouble = { readonly code: string; readonly message: string; readonly hint: string };

restoreTheme();
const isSetup = location.pathname.endsWith("/setup");
const page = document.getElementById("page");
if (isSetup) document.title = "Make the administrator · Highwater";
if (page !== null) render(isSetup ? <Setup /> : <Login />, page);
if (!isSetup) void leaveIfKnown();

function Login() {
  return (
    <Door title="Log in" action="Log in" path="/api/v1/login" brought={{}}>
      {undefined}
    </Door>
  );
}

function Setup() {
  const token = location.hash.slice(1);
  if (token === "") {
    return (
      <main class="door">
        <Brand />
        <h1>The link is not whole</h1>
        <p>
          Open the whole link that the gateway logged when it started; it ends in <code>/setup#…</code>
        </p>
        <p class="faint">
          Is there an account already? <a href="/login">Log in</a>
        </p>
      </main>
    );
  }
  return (
    <Door title="Make the administrator" action="Make the administrator" path="/api/v1/setup" brought={{ token }}>
      <p class="faint">This gateway has no account yet. From now on nobody comes in without one; the administrator makes others.</p>
    </Door>
  );
}

type DoorProps = { title: string; action: string; path: string; brought: Record<string, string>; children: ComponentChildren };

function Door({ title, action, path, brought, children }: DoorProps) {
  const trouble = useSignal<string | undefined>(undefined);
  const busy = useSignal(false);
  const shown = useSignal(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    const form = new FormData(event.currentTarget as HTMLFormElement);
    busy.value = true;
    trouble.value = undefined;
    trouble.value = await send(path, { ...brought, name: textOf(form, "name").trim(), password: textOf(form, "password") });
    busy.value = false;
  };
  return (
    <main class="door">
      <Brand />
      <h1>{title}</h1>
      {children}
      <form onSubmit={(event) => void submit(event)}>
        <div class="field">
          <label for="name">Name</label>
          <input id="name" name="name" autocomplete="username" autocapitalize="none" spellcheck={false} maxLength={64} required autofocus />
        </div>
        <div class="field">
          <label for="password">Password</label>
          <div class="row">
            <input
              id="password"
              name="password"
              type={(shown.value ? "text" : "password") as "password"}
              autocomplete={isSetup ? "new-password" : "current-password"}
              minLength={isSetup ? PASSWORD_LENGTH_MIN : 1}
              maxLength={200}
              required
              aria-describedby={isSetup ? "rule" : undefined}
            />
            <button type="button" aria-pressed={shown.value} aria-label="Show the password" onClick={() => (shown.value = !shown.value)}>
              {shown.value ? "Hide" : "Show"}
            </button>
          </div>
          {isSetup && (
            <p id="rule" class="faint">
              At least {PASSWORD_LENGTH_MIN} characters
            </p>
          )}
        </div>
        {trouble.value !== undefined && (
          <p class="trouble" role="alert">
            {trouble.value}
          </p>
        )}
        <button type="submit" class="main" disabled={busy.value}>
          {busy.value ? "One moment …" : action}
        </button>
      </form>
    </main>
  );
}

const textOf = (form: FormData, name: string): string => {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
};

/** @returns what went wrong, in a sentence; when nothing did, the browser is on its way to the page */
async function send(path: string, body: Record<string, string>): Promise<string | undefined> {
  try {
    const response = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    if (response.ok) {
      enter();
      return undefined;
    }
    const { error } = (await response.json()) as { error: Trouble };
    return `${sentence(error.message)} ${sentence(error.hint)}`;
  } catch {
    return "The gateway does not answer. Try again in a moment.";
  }
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** To the page, and there to the alert that a notification linked to: a redirect keeps what stands behind `#`. */
const enter = (): void => location.replace(`/${location.hash.startsWith("#/") ? location.hash : ""}`);

/** Whoever is let in without a login, or is logged in, has no business here. */
async function leaveIfKnown(): Promise<void> {
  try {
    const me = (await (await fetch("/api/v1/me")).json()) as MeAnswer;
    if (me.rights.includes("read")) enter();
  } catch {
    // The form says so when it is sent.
  }
}
