// Who may connect. aedes would only close the connection of a client that it refuses; here it gets a CONNACK with a return code first
// [MQTT-3.2.2-5], so that it knows whether another try makes sense.

import type { AedesOptions, Client } from "aedes";
import type { RefusalReason } from "./broker-counters.ts";
import type { BrokerLimits } from "./limits.ts";

type PreConnect = NonNullable<AedesOptions["preConnect"]>;
type ConnectPacket = Parameters<PreConnect>[1];
/** Return codes of MQTT 3.1.1 §3.2.2.3. */
type Refusal = { readonly code: 2 | 3; readonly reason: RefusalReason; readonly message: string };

/**
 * @param deps.refusing why no client is taken now, if so
 * @param deps.admitted hears of each client that is taken
 */
export function createAdmission(
  deps: {
    refusing: () => string | undefined;
    refuse: (reason: RefusalReason) => void;
    admitted: (client: Client, packet: ConnectPacket) => void;
    /** Client ids whose session outlives the connection. */
    sessions: { size(): number; has(clientId: string): boolean };
  },
  limits: Pick<BrokerLimits, "sessions">,
): PreConnect {
  const refusalOf = ({ clientId, clean }: ConnectPacket): Refusal | undefined => {
    const message = deps.refusing();
    if (message !== undefined) return { code: 3, reason: "not_taking_connections", message };
    if (clean !== false) return undefined;
    // A session that goes on needs a name [MQTT-3.1.3-8].
    if (clientId === "") return { code: 2, reason: "client_id", message: "an empty client id needs a clean session" };
    if (deps.sessions.size() < limits.sessions || deps.sessions.has(clientId)) return undefined;
    return { code: 3, reason: "sessions", message: "there may be no more sessions that outlive their connection" };
  };

  return (client, packet, callback) => {
    const refusal = refusalOf(packet);
    if (refusal !== undefined) {
      deps.refuse(refusal.reason);
      client.conn.end(Buffer.from([0x20, 2, 0, refusal.code]), () => callback(new Error(refusal.message), false));
      return;
    }
    deps.admitted(client, packet);
    callback(null, true);
  };
}
