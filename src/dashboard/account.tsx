// Who is logged in, and the way out. Without accounts there is nothing to show.

import type { Store } from "./store.ts";

export function Account({ store }: { store: Store }) {
  const me = store.me.value;
  if (me?.kind !== "account") return null;
  return (
    <p class="account">
      <span title={`${me.name} (${me.role})`}>
        <span class="unseen">Logged in as </span>
        {me.name}
      </span>
      <button type="button" class="quiet" onClick={() => void store.logOut()}>
        Log out
      </button>
    </p>
  );
}
