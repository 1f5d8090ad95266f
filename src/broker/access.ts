// Who may come in, and what they may do there: users of the password file, and the access list. A change of either takes effect at
// once: who is no user any more, or has another password, is cut off; what an open connection may do is looked up anew.
// Off: everybody may connect and do everything, as on a listener of this machine alone.

import type { Client } from "aedes";
import { type AclEntry, createAcl, type Grant, nothing } from "./acl.ts";
import { type Credential, isPassword, parsePasswordFile, type Users } from "./password-file.ts";
import { createTopicCache, type TopicCache } from "./topic-cache.ts";

export type AccessOptions = {
  /** Text of the password file, which the config has checked; undefined: there are no users. */
  readonly passwords?: string | undefined;
  /** Undefined: everybody who is in may do everything. */
  readonly acl?: readonly AclEntry[] | undefined;
  /** Whether who gives no name may come in. */
  readonly anonymous: boolean;
};

/** Return codes of MQTT 3.1.1 §3.2.2.3. */
export type Entry =
  | { readonly kind: "in" }
  | { readonly kind: "out"; readonly code: 4 | 5; readonly reason: "bad_login" | "anonymous"; readonly message: string };

/** Topics of which one connection remembers whether it may publish to them: most devices have a few. */
const REMEMBERED_TOPICS = 256;

type Visitor = { readonly username: string | undefined; readonly clientId: string; grant: Grant; readonly published: TopicCache<"yes" | "no"> };

export type Access = ReturnType<typeof createAccess>;

export function createAccess(options: AccessOptions) {
  let { anonymous } = options;
  let users = usersOf(options.passwords);
  let isLimited = options.acl !== undefined;
  let grantFor = createAcl(options.acl);
  /** Of closed connections too: a will is published when its connection is gone. */
  const visitors = new WeakMap<Client, Visitor>();
  const open = new Set<Client>();

  return {
    /** @param certified by its certificate: no password is asked for */
    async enter(username: string | undefined, password: Uint8Array | undefined, certified: boolean): Promise<Entry> {
      if (certified) return { kind: "in" };
      if (username === undefined)
        return anonymous ? { kind: "in" } : { kind: "out", code: 5, reason: "anonymous", message: "a name and a password are asked for" };
      // Without users a name is only a name, as it has always been.
      if (users === undefined) return { kind: "in" };
      const isRight = await isPassword(users.get(username), password ?? new Uint8Array());
      return isRight ? { kind: "in" } : { kind: "out", code: 4, reason: "bad_login", message: "wrong name or password" };
    },
    admit(client: Client, username: string | undefined, clientId: string): void {
      visitors.set(client, { username, clientId, grant: grantFor(username, clientId), published: createTopicCache(REMEMBERED_TOPICS) });
      open.add(client);
    },
    leave: (client: Client): void => void open.delete(client),
    mayPublish(client: Client, topic: string): boolean {
      if (!isLimited) return true;
      const visitor = visitors.get(client);
      if (visitor === undefined) return false;
      const known = visitor.published.get(topic);
      if (known !== undefined) return known === "yes";
      const may = visitor.grant.publish(topic);
      visitor.published.set(topic, may ? "yes" : "no");
      return may;
    },
    maySubscribe: (client: Client, filter: string): boolean => !isLimited || (visitors.get(client)?.grant.subscribe(filter) ?? false),
    mayReceive: (client: Client, topic: string): boolean => !isLimited || (visitors.get(client)?.grant.receive(topic) ?? false),
    /** @returns the clients that may not be here any more */
    reload(next: AccessOptions): Client[] {
      const before = users;
      users = usersOf(next.passwords);
      anonymous = next.anonymous;
      isLimited = next.acl !== undefined;
      grantFor = createAcl(next.acl);
      const gone: Client[] = [];
      for (const client of open) {
        const visitor = visitors.get(client) as Visitor;
        const isIn = isStillIn(visitor, before);
        visitor.grant = isIn ? grantFor(visitor.username, visitor.clientId) : nothing;
        visitor.published.clear();
        if (!isIn) gone.push(client);
      }
      return gone;
    },
  };

  function isStillIn({ username }: Visitor, before: Users | undefined): boolean {
    if (username === undefined) return anonymous;
    if (users === undefined || before === undefined) return users === undefined;
    return isSame(before.get(username), users.get(username));
  }
}

const usersOf = (passwords: string | undefined): Users | undefined => (passwords === undefined ? undefined : parsePasswordFile(passwords).users);

/** Both undefined: a name that came in by its certificate. */
const isSame = (one: Credential | undefined, other: Credential | undefined): boolean =>
  one === other || (one !== undefined && other !== undefined && one.kind === other.kind && one.salt.equals(other.salt) && one.hash.equals(other.hash));
