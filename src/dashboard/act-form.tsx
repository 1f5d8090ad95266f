// The form of one act: what the next one should know, then the button that does it. What the gateway refuses is said in the form.

import { useSignal } from "@preact/signals";
import type { ComponentChildren, TargetedSubmitEvent } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import type { Sent } from "./api.ts";

type Props = {
  readonly label: string;
  readonly required?: boolean;
  readonly charsMax: number;
  /** Buttons of type submit; the `value` of the one that was pressed is handed on. */
  readonly children: ComponentChildren;
  send(text: string, pressed: string): Promise<Sent<unknown>>;
  close(isDone: boolean): void;
};

export function ActForm({ label, required = false, charsMax, children, send, close }: Props) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const trouble = useSignal<string | undefined>(undefined);
  const busy = useSignal(false);
  useLayoutEffect(() => input.current?.focus(), []);
  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    const pressed = event.submitter as HTMLButtonElement | null;
    busy.value = true;
    const sent = await send(input.current?.value ?? "", pressed?.value ?? "");
    busy.value = false;
    trouble.value = sent.kind === "refused" ? sent.why : undefined;
    if (sent.kind === "done") close(true);
  };
  return (
    <form class="act" aria-busy={busy.value} onSubmit={(event) => void submit(event)} onKeyDown={(event) => event.key === "Escape" && close(false)}>
      <label for={id}>
        {label}
        {!required && <span class="faint"> (optional)</span>}
      </label>
      <input ref={input} id={id} class="field" maxLength={charsMax} required={required} autocomplete="off" />
      <div class="buttons">
        {children}
        <button type="button" class="quiet" onClick={() => close(false)}>
          Cancel
        </button>
      </div>
      {trouble.value !== undefined && (
        <p class="trouble" role="alert">
          {trouble.value}
        </p>
      )}
    </form>
  );
}
