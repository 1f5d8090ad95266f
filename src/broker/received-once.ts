// QoS 2: a publish that is sent again is taken once. aedes knows the packets it has stored, which it does only after the commit;
// until then they are known here. A clean session ends with its connection, another goes on under its client id [MQTT-3.1.2-4].

import type { Client } from "aedes";

type Packet = { readonly messageId?: number | undefined };
/** The part of aedes' persistence that knows the stored packets. */
export type IncomingPackets = { incomingGetPacket(client: Client, packet: Packet): Promise<unknown> };

export type Seen = "new" | "pending" | "stored";

export function createReceivedOnce(persistence: () => IncomingPackets) {
  const ofSessions = new Map<string, Set<number>>();
  const ofConnections = new WeakMap<Client, Set<number>>();

  const pendingOf = (client: Client): Set<number> => {
    const known = client.clean ? ofConnections.get(client) : ofSessions.get(client.id);
    if (known !== undefined) return known;
    const pending = new Set<number>();
    if (client.clean) ofConnections.set(client, pending);
    else ofSessions.set(client.id, pending);
    return pending;
  };

  return {
    /** Marks a new packet as pending until `settled`. */
    async see(client: Client, packet: Packet): Promise<Seen> {
      const id = packet.messageId ?? 0;
      if (pendingOf(client).has(id)) return "pending";
      const stored = await persistence()
        .incomingGetPacket(client, packet)
        .then(
          () => true,
          () => false,
        );
      if (stored) return "stored";
      const pending = pendingOf(client);
      if (pending.has(id)) return "pending";
      pending.add(id);
      return "new";
    },
    /** aedes has stored the packet by now. */
    settled(client: Client, packet: Packet): void {
      const pending = pendingOf(client);
      pending.delete(packet.messageId ?? 0);
      if (pending.size === 0 && !client.clean) ofSessions.delete(client.id);
    },
  };
}
