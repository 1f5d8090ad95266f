// Topic templates: `sensors/{site}/{device}/{metric}`. A brace names a label and takes one level, `{device+}` takes one level or
// more, `+` and `#` match as in MQTT without a name. No backtracking: at most one part of a template takes several levels.
// A brace never takes an empty level, and a template that begins with a wildcard does not match `$` topics [MQTT-4.7.2-1].

type Part =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "label"; readonly name: string }
  | { readonly kind: "any" }
  /** One level or more as one label. */
  | { readonly kind: "labels"; readonly name: string }
  /** Any number of levels, also none; only at the end. */
  | { readonly kind: "rest" };

export type Template = { readonly text: string; readonly parts: readonly Part[]; readonly many: number; readonly names: readonly string[] };

export type ParsedTemplate =
  | { readonly kind: "ok"; readonly template: Template }
  /** `column` counts from 1, within the template. */
  | { readonly kind: "invalid"; readonly message: string; readonly hint: string; readonly column: number };

/** Words that the HTTP API uses as parameters: never labels. */
const reserved = new Set(["limit", "cursor", "from", "to", "step", "agg"]);
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

type Flaw = { message: string; hint: string };

/**
 * Reads a topic template.
 * @returns the template, or what is wrong with it and where
 */
export function parseTemplate(text: string): ParsedTemplate {
  if (text === "") return { kind: "invalid", message: "a topic template may not be empty", hint: "for example sensors/{site}/{device}/{metric}", column: 1 };
  const parts: Part[] = [];
  const names: string[] = [];
  const levels = text.split("/");
  let column = 1;
  let many = -1;
  for (const [index, level] of levels.entries()) {
    const part = parseLevel(level, index === levels.length - 1);
    if (!("kind" in part)) return { kind: "invalid", ...part, column };
    const flaw = flawOf(part, names, many);
    if (flaw !== undefined) return { kind: "invalid", ...flaw, column };
    if (part.kind === "labels" || part.kind === "rest") many = index;
    if ("name" in part) names.push(part.name);
    parts.push(part);
    column += level.length + 1;
  }
  return { kind: "ok", template: { text, parts, many, names } };
}

function parseLevel(level: string, last: boolean): Part | Flaw {
  if (level === "+") return { kind: "any" };
  if (level === "#") return last ? { kind: "rest" } : { message: "# may only be the last level", hint: "use {name+} to take several levels in the middle" };
  if (!/[{}+#]/.test(level)) return { kind: "literal", text: level };
  const inner = /^\{([^{}]*)\}$/.exec(level)?.[1];
  if (inner === undefined)
    return { message: `"${level}" mixes text with a brace or wildcard`, hint: "braces and wildcards take whole levels, between slashes" };
  const several = inner.endsWith("+");
  const name = several ? inner.slice(0, -1) : inner;
  if (!labelName.test(name) || name.startsWith("__"))
    return { message: `"${name}" cannot be the name of a label`, hint: "letters, digits and _, not beginning with a digit or __" };
  if (reserved.has(name)) return { message: `"${name}" is a parameter of the HTTP API and cannot be a label`, hint: "choose another name" };
  return { kind: several ? "labels" : "label", name };
}

function flawOf(part: Part, names: readonly string[], many: number): Flaw | undefined {
  if ((part.kind === "labels" || part.kind === "rest") && many >= 0)
    return { message: "only one part of a template may take several levels", hint: "keep one of {name+} and #" };
  if ("name" in part && names.includes(part.name)) return { message: `{${part.name}} occurs twice`, hint: "give each brace its own name" };
  return undefined;
}

/**
 * Matches a topic.
 * @returns the labels that the braces took, or undefined when the topic does not match
 */
export function matchTopic(template: Template, topic: string): Record<string, string> | undefined {
  const { parts, many } = template;
  const first = parts[0];
  if (topic.charCodeAt(0) === 36 && first?.kind !== "literal") return undefined;
  const levels = topic.split("/");
  const extra = levels.length - parts.length;
  const least = many >= 0 && parts[many]?.kind === "rest" ? -1 : 0;
  if (many < 0 ? extra !== 0 : extra < least) return undefined;
  const labels: Record<string, string> = {};
  for (let index = 0, at = 0; index < parts.length; index++) {
    const part = parts[index] as Part;
    const width = index === many ? extra + 1 : 1;
    if (!take(part, levels, at, width, labels)) return undefined;
    at += width;
  }
  return labels;
}

function take(part: Part, levels: readonly string[], at: number, width: number, labels: Record<string, string>): boolean {
  switch (part.kind) {
    case "literal":
      return part.text === levels[at];
    case "any":
    case "rest":
      return true;
    case "label":
    case "labels": {
      for (let level = at; level < at + width; level++) if (levels[level] === "") return false;
      labels[part.name] = width === 1 ? (levels[at] as string) : levels.slice(at, at + width).join("/");
      return true;
    }
    default: {
      const never: never = part;
      return never;
    }
  }
}
