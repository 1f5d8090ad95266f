// Figures beside their budgets, in 80 columns.

import type { Figure } from "./row.ts";

/** @param figures with the verdict of each */
export function tableOf(title: string, figures: readonly (Figure & { readonly verdict: string })[]): string {
  const lines = [title, "─".repeat(80), cells("", "measured", "budget", "aim", "")];
  for (const figure of figures) {
    const { budget } = figure;
    const sense = budget?.sense === "at least" ? "≥" : "≤";
    const measured = figure.unit.startsWith("of ") ? `${number(figure.value)} ${figure.unit}` : [number(figure.value), figure.unit].filter(Boolean).join(" ");
    lines.push(cells(figure.what, measured, budget ? `${sense} ${number(budget.limit)}` : "", budget ? `${sense} ${number(budget.aim)}` : "", figure.verdict));
    if (figure.problem !== undefined) lines.push(`  ! ${figure.problem}`);
  }
  return lines.join("\n");
}

function cells(what: string, measured: string, budget: string, aim: string, verdict: string): string {
  return `${what.padEnd(30)}${measured.padStart(21)}${budget.padStart(10)}${aim.padStart(9)}  ${verdict}`.trimEnd();
}

const number = (value: number): string => {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
};
