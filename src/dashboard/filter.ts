// The filter of the sensors: words that all must be found in a sensor's labels, and `label=value` with * for any text.

export type Filtered = { readonly labels: Readonly<Record<string, string>> };

export function compileFilter(text: string): (sensor: Filtered) => boolean {
  const tests = text.trim().toLowerCase().split(/\s+/).filter(Boolean).map(compileWord);
  return (sensor) => tests.every((test) => test(sensor));
}

function compileWord(word: string): (sensor: Filtered) => boolean {
  const [, name, pattern] = /^([a-z_]\w*)=(.*)$/.exec(word) ?? [];
  if (name === undefined || pattern === undefined) {
    return ({ labels }) => Object.values(labels).some((value) => value.toLowerCase().includes(word));
  }
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  const shape = new RegExp(`^${source}$`, "u");
  return ({ labels }) => Object.entries(labels).some(([label, value]) => label.toLowerCase() === name && shape.test(value.toLowerCase()));
}
