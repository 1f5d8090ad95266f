// How the page asks the gateway, and how it says what went wrong: in a sentence, for whoever pressed a button.

const ANSWER_MS_MAX = 10_000;

export async function ask<Answer>(path: string): Promise<Answer> {
  return await bodyOf<Answer>(await fetch(path, { signal: AbortSignal.timeout(ANSWER_MS_MAX) }));
}

export async function bodyOf<Answer>(response: Response): Promise<Answer> {
  if (response.status === 401) goToLogin();
  if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
  return (await response.json()) as Answer;
}

/** The session is over. What stands behind `#` is where to come back to. */
export const goToLogin = (): void => location.assign(`/login${location.hash}`);

export type Sent<Answer> = { readonly kind: "done"; readonly answer: Answer } | { readonly kind: "refused"; readonly why: string };

/** Changes something. @param body undefined with DELETE, which sends none */
export async function send<Answer>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<Sent<Answer>> {
  const json = body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  try {
    const response = await fetch(path, { method, ...json, signal: AbortSignal.timeout(2 * ANSWER_MS_MAX) });
    if (response.status === 401) goToLogin();
    if (response.ok) return { kind: "done", answer: (await response.json()) as Answer };
    const { error } = (await response.json()) as { error: { message: string; hint: string } };
    return { kind: "refused", why: `${sentence(error.message)} ${response.status === 400 ? "" : sentence(error.hint)}`.trim() };
  } catch {
    return { kind: "refused", why: "The gateway does not answer. Look whether it was done before you try again." };
  }
}

export const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
