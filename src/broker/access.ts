// Who may come in, and what they may do there: users of the password file, and the access list. A change of either takes effect at
// once: who is no user any more, or has another password, is cut off; what an open connection may do is looked up anew.
// Off: everybody may connect and do everything, as on a listener of this machine alone.

import type { Client } from "aedes";
import { createTurns } from "../turns.ts";
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
  | { readonly kind: "out"; readonly code: 3 | 4 | 5; readonly reason: "bad_login" | "anonymous" | "logins"; readonly message: string };

/** Passwords that are looked at at once, each on a thread of the process' own, and those that may wait for that. */
const LOGINS_AT_ONCE = 2;
const LOGINS_WAITING_MAX = 200;

/** Topics of which one connection remembers whether it may publish to them: most devices have a few. */
const REMEMBERED_TOPICS = 256;

/** `credential`: with which it came in; undefined: anonymous, by its certificate, or while there were no users. */
type Visitor = {
  readonly username: string | undefined;
  readonly credential: Credential | undefined;
  readonly certified: boolean;
  readonly clientId: string;
  grant: Grant;
  readonly published: TopicCache<"yes" | "no">;
};

export type Access = ReturnType<typeof createAccess>;

export function createAccess(options: AccessOptions) {
  let { anonymous } = options;
  let users = usersOf(options.passwords);
  let decoy = decoyOf(users);
  let isLimited = options.acl !== undefined;
  let grantFor = createAcl(options.acl);
  /** Of closed connections too: a will is published when its connection is gone. */
  const visitors = new WeakMap<Client, Visitor>();
  const open = new Set<Client>();
  const inTurn = createTurns(LOGINS_AT_ONCE, LOGINS_WAITING_MAX);

  const credentialOf = (username: string): Credential | undefined => users?.get(username);
  const isUsers = async (username: string, password: Uint8Array, isGone: () => boolean): Promise<boolean> => {
    if (isGone()) return false;
    const credential = credentialOf(username);
    // The users may change while it is looked at.
    return (await isPassword(credential, password, decoy)) && isSame(credential, credentialOf(username));
  };

  return {
    /**
     * @param certified by its certificate: no password is asked for
     * @param isGone whether the client has left meanwhile: then its password is not looked at
     */
    async enter(username: string | undefined, password: Uint8Array | undefined, certified: boolean, isGone = (): boolean => false): Promise<Entry> {
      if (certified) return { kind: "in" };
      if (username === undefined)
        return anonymous ? { kind: "in" } : { kind: "out", code: 5, reason: "anonymous", message: "a name and a password are asked for" };
      // Without users a name is only a name, as it has always been.
      if (users === undefined) return { kind: "in" };
      const isRight = await inTurn(() => isUsers(username, password ?? new Uint8Array(), isGone));
      if (isRight === undefined) return { kind: "out", code: 3, reason: "logins", message: "too many logins are waiting" };
      return isRight ? { kind: "in" } : { kind: "out", code: 4, reason: "bad_login", message: "wrong name or password" };
    },
    /** To be called at once after it entered. */
    admit(client: Client, username: string | undefined, clientId: string, certified: boolean): void {
      const credential = username === undefined || certified ? undefined : credentialOf(username);
      visitors.set(client, { username, credential, certified, clientId, grant: grantFor(username, clientId), published: createTopicCache(REMEMBERED_TOPICS) });
      open.add(client);
    },
    /** Whether a name is a user's. */
    isUser: (username: string | undefined): boolean => username !== undefined && credentialOf(username) !== undefined,
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
      users = usersOf(next.passwords);
      decoy = decoyOf(users);
      anonymous = next.anonymous;
      isLimited = next.acl !== undefined;
      grantFor = createAcl(next.acl);
      const gone: Client[] = [];
      for (const client of open) {
        const visitor = visitors.get(client) as Visitor;
        const isIn = isStillIn(visitor);
        visitor.grant = isIn ? grantFor(visitor.username, visitor.clientId) : nothing;
        visitor.published.clear();
        if (!isIn) gone.push(client);
      }
      return gone;
    },
  };

  function isStillIn({ username, credential, certified }: Visitor): boolean {
    if (certified) return true;
    if (username === undefined) return anonymous;
    return users === undefined || isSame(credential, users.get(username));
  }
}

/** For a name that nobody has: as much work as for the last user of the file, so that the time it takes says nothing. */
const decoyOf = (users: Users | undefined): Credential | undefined => [...(users?.values() ?? [])].at(-1);

const usersOf = (passwords: string | undefined): Users | undefined => (passwords === undefined ? undefined : parsePasswordFile(passwords).users);

const isSame = (one: Credential | undefined, other: Credential | undefined): boolean =>
  one !== undefined && other !== undefined && one.kind === other.kind && one.salt.equals(other.salt) && one.hash.equals(other.hash);
