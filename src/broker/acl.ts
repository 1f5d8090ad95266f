// Who may publish and subscribe to what, by topic. Publishing and subscribing are apart; what no entry allows is denied, and what an
// entry denies is denied whatever another allows. `%u` stands for the user's name, `%c` for the client id, as a whole level or part
// of one. A name that would change the filter (`+`, `#` or `/` in it) is matched by no pattern that holds it.

import { z } from "zod";
import { compileMatchers } from "../engine/matcher.ts";
import { covers, coversApart, FILTER, type Levels } from "./filter.ts";

const FILTERS_MAX = 1_000;
const filterSchema = z.string().min(1).max(1_024).regex(FILTER, "+ stands for one whole level, # for all levels below, alone and at the end");
const filters = (description: string) => z.array(filterSchema).max(FILTERS_MAX).default([]).meta({ description });
const names = (description: string) =>
  z
    .union([z.string(), z.array(z.string()).min(1).max(FILTERS_MAX)])
    .exactOptional()
    .meta({ description });

/** An entry of `mqtt.acl`. */
export const aclEntrySchema = z.strictObject({
  user: names("Whom it is about, as glob or list of globs over user names; without it everybody, also who gives no name"),
  client: names("Client ids that it is about, as glob or list of globs; without it all"),
  publish: filters("Topics that may be published to, as MQTT filters; %u is the user's name, %c the client id"),
  subscribe: filters("Topics that may be subscribed to; a filter is granted when one of these covers it whole"),
  deny_publish: filters("Topics that may not be published to, whatever is allowed elsewhere"),
  deny_subscribe: filters("Topics that may not be subscribed to, and are not delivered to a wider subscription"),
});
export type AclEntry = z.output<typeof aclEntrySchema>;

/** What one client may do. */
export type Grant = {
  publish(topic: string): boolean;
  /** Whether a subscription may be granted. */
  subscribe(filter: string): boolean;
  /** Whether a message of this topic may be delivered. */
  receive(topic: string): boolean;
};

export const nothing: Grant = { publish: () => false, subscribe: () => false, receive: () => false };
const everything: Grant = { publish: () => true, subscribe: () => true, receive: () => true };

/**
 * @param entries undefined: everybody may do everything
 * @returns what a client may do, to be asked once for each connection
 */
export function createAcl(entries: readonly AclEntry[] | undefined): (username: string | undefined, clientId: string) => Grant {
  if (entries === undefined) return () => everything;
  const compiled = entries.map((entry) => ({ entry, isAbout: isAbout(entry) }));
  return (username, clientId) => {
    const own = compiled.filter((each) => each.isAbout(username, clientId)).map(({ entry }) => entry);
    const filtersOf = (key: "publish" | "subscribe" | "deny_publish" | "deny_subscribe"): Levels[] =>
      own.flatMap((entry) => entry[key].flatMap((pattern) => filled(pattern, username, clientId)));
    return grantOf(filtersOf("publish"), filtersOf("deny_publish"), filtersOf("subscribe"), filtersOf("deny_subscribe"));
  };
}

function grantOf(publish: readonly Levels[], denyPublish: readonly Levels[], subscribe: readonly Levels[], denySubscribe: readonly Levels[]): Grant {
  const both = (allow: readonly Levels[], deny: readonly Levels[], takes: (filter: Levels, levels: Levels) => boolean) => (topic: string) => {
    const levels = topic.split("/");
    const isAmong = (list: readonly Levels[]): boolean => list.some((filter) => takes(filter, levels));
    return isAmong(allow) && !isAmong(deny);
  };
  const mayHear = both(subscribe, denySubscribe, coversApart);
  // Who may publish to everything may publish to `$` topics too; those of the gateway itself are not asked for here.
  return { publish: both(publish, denyPublish, covers), subscribe: mayHear, receive: mayHear };
}

function isAbout({ user, client }: AclEntry): (username: string | undefined, clientId: string) => boolean {
  const named = (label: string, globs: string | readonly string[]) => compileMatchers([{ label, patterns: [globs].flat() }]);
  const isUser = user === undefined ? undefined : named("user", user);
  const isClient = client === undefined ? undefined : named("client", client);
  return (username, clientId) => (isUser === undefined || (username !== undefined && isUser({ user: username }))) && (isClient?.({ client: clientId }) ?? true);
}

/** @returns none when a name that belongs into the pattern is missing or would change it */
function filled(pattern: string, username: string | undefined, clientId: string): Levels[] {
  const isSafe = (name: string | undefined): boolean => name !== undefined && name !== "" && !/[+#/]/.test(name);
  if ((pattern.includes("%u") && !isSafe(username)) || (pattern.includes("%c") && !isSafe(clientId))) return [];
  return [pattern.split("/").map((level) => level.replace(/%[uc]/g, (name) => (name === "%u" ? (username as string) : clientId)))];
}
