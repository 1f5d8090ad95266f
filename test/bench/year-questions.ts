// Questions about a year, asked over HTTP again and again by several at once, each as soon as the one before is answered.

import type { GatewayProcess } from "../../simulators/gateway.ts";

/** @returns how many were answered @throws when one is refused or fails */
export async function askYears({ http }: GatewayProcess, asked: { readonly paths: readonly string[]; readonly signal: AbortSignal }): Promise<number> {
  let answered = 0;
  const askOn = async (path: string): Promise<void> => {
    while (!asked.signal.aborted) {
      const response = await fetch(`http://${http.host}:${http.port}${path}`);
      const text = await response.text();
      if (!response.ok) throw new Error(`${path} answers ${response.status}: ${text.slice(0, 200)}`);
      answered += 1;
    }
  };
  await Promise.all(asked.paths.map(askOn));
  return answered;
}
