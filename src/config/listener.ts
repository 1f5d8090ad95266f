// Hosts of listeners: which two of them would want the same port.

const wildcards = new Set(["0.0.0.0", "::", "[::]", "*"]);

/** Whether two listeners cannot both be opened; port 0 is always a free one. */
export function overlap(a: { host: string; port: number }, b: { host: string; port: number }): boolean {
  if (a.port === 0 || a.port !== b.port) return false;
  const [left, right] = [a.host, b.host].map((host) => (host === "localhost" ? "127.0.0.1" : host.toLowerCase())) as [string, string];
  return left === right || wildcards.has(left) || wildcards.has(right);
}

/** The address by which a browser on this machine reaches it. */
export function urlOf({ host, port }: { host: string; port: number }): string {
  const name = wildcards.has(host) ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
