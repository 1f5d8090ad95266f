// Liquid templates of messages: annotations as plain text, mail bodies as HTML with every output escaped.
// Templates read no files, see own properties only, and are bounded in length, time and memory. A template that breaks
// never keeps a notification from going out: its raw text stands in for it and says why.

import { Liquid } from "liquidjs";

/** Characters of a template. */
export const TEMPLATE_CHARS_MAX = 16_384;
/** Characters that a rendered annotation may have; what is longer is cut. */
export const RENDERED_CHARS_MAX = 4_096;
/** Wall time of one rendering. Far more than any needs: a machine under load must not make a good template look broken. */
export const RENDER_MS_MAX = 250;
/** Objects and characters that filters and ranges of one rendering may make; liquidjs counts them. */
export const RENDER_MEMORY_MAX = 200_000;

const limits = { parseLimit: TEMPLATE_CHARS_MAX, renderLimit: RENDER_MS_MAX, memoryLimit: RENDER_MEMORY_MAX };
const closed = { templates: {}, ownPropertyOnly: true, strictFilters: true, locale: "en", timezoneOffset: 0 };
const plain = new Liquid({ ...closed, ...limits });
/** The built-in bodies are ours and longer than an annotation; they are held to memory and time alone. */
const html = new Liquid({ ...closed, ...limits, parseLimit: 65_536, memoryLimit: 2_000_000, outputEscape: "escape" });

export type Rendered = { readonly text: string /** Why the raw template stands in. */; readonly problem?: string };

/**
 * Renders an annotation. Variables that are missing render as nothing; unknown filters are problems.
 * @returns the text, or the raw template and the problem; never throws
 */
export function renderText(template: string, context: Readonly<Record<string, unknown>>): Rendered {
  if (!template.includes("{{") && !template.includes("{%")) return { text: cut(template) };
  try {
    return { text: cut(String(plain.parseAndRenderSync(template, context))) };
  } catch (error) {
    return { text: cut(template), problem: firstLine(error) };
  }
}

/**
 * What is wrong with a template, for `highwater check`.
 * @returns undefined when it parses
 */
export function templateProblem(template: string): string | undefined {
  try {
    plain.parse(template);
    return undefined;
  } catch (error) {
    return firstLine(error);
  }
}

/** Compiles a body of ours once. The result renders HTML, each output escaped, and throws what Liquid throws. */
export function compileHtml(template: string): (context: Readonly<Record<string, unknown>>) => string {
  const parsed = html.parse(template);
  return (context) => String(html.renderSync(parsed, context));
}

const cut = (text: string): string => (text.length <= RENDERED_CHARS_MAX ? text : `${text.slice(0, RENDERED_CHARS_MAX)}…`);
const firstLine = (error: unknown): string => String((error as Error).message).split("\n", 1)[0] ?? "";
