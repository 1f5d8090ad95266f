// Which names the server answers to. Without accounts the only guard of a gateway on loopback is that a web page
// elsewhere cannot read it; one that points its own name at 127.0.0.1 could, so names are checked (DNS rebinding).

import { isIP } from "node:net";

/** Whether only this machine reaches a server that listens on `host`. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^::ffff:/, "");
  return host === "localhost" || host === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

/**
 * Whether a request's Host header names this server: an address, `localhost`, or the host of the external URL. An
 * address needs no DNS and so cannot be re-pointed.
 */
export function answersTo(header: string | undefined, { host, externalUrl }: { host: string; externalUrl: string }): boolean {
  const name = hostname(`http://${header ?? ""}`);
  if (name === undefined || name === "") return false;
  return (
    isIP(name.replace(/^\[|\]$/g, "")) !== 0 ||
    name === "localhost" ||
    name.endsWith(".localhost") ||
    name === host.toLowerCase() ||
    name === hostname(externalUrl)
  );
}

const hostname = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).hostname : undefined);
