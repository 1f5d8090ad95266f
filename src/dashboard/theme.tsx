// Light or dark: as the system has it, until someone chooses. The choice is kept in this browser.

import { signal } from "@preact/signals";

type Theme = "auto" | "light" | "dark";
const KEY = "highwater-theme";
const order: readonly Theme[] = ["auto", "light", "dark"];
const names: Readonly<Record<Theme, string>> = { auto: "Auto", light: "Light", dark: "Dark" };
const theme = signal<Theme>("auto");

export function restoreTheme(): void {
  const kept = order.find((each) => each === localStorage.getItem(KEY));
  if (kept !== undefined) apply(kept);
}

function apply(chosen: Theme): void {
  theme.value = chosen;
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  localStorage.setItem(KEY, chosen);
}

export function ThemeButton() {
  const chosen = theme.value;
  const next = order[(order.indexOf(chosen) + 1) % order.length] as Theme;
  return (
    <button type="button" class="quiet" onClick={() => apply(next)} aria-label={`Theme: ${names[chosen]}. Switch to ${names[next]}`}>
      <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" />
        {chosen !== "light" && <path d={chosen === "dark" ? "M8 2a6 6 0 0 1 0 12a6 6 0 0 1 0-12z" : "M8 2a6 6 0 0 1 0 12z"} fill="currentColor" />}
      </svg>
      {names[chosen]}
    </button>
  );
}
