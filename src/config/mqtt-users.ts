// The users of the MQTT broker: reads the password file that the config names, and says what is wrong with it at its own lines.

import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parsePasswordFile } from "../broker/password-file.ts";
import { type ConfigDocument, readDocument } from "./document.ts";
import { type Problem, problem } from "./problem.ts";
import { readText } from "./rules.ts";
import type { Blocks } from "./schema.ts";

/** May anybody else on the machine read it? */
const OTHERS_MAY_READ = 0o004;

/** @returns the file's text, all of whose entries can be read; undefined when there is none, or something is wrong with it */
export function readMqttUsers(
  mqtt: Blocks["mqtt"] | undefined,
  document: ConfigDocument,
  findings: { problems: Problem[]; notes: Problem[] },
): string | undefined {
  const { problems, notes } = findings;
  if (mqtt?.users === undefined) {
    if (mqtt?.anonymous === false && mqtt.listeners.every(({ tls }) => tls?.client_ca === undefined))
      problems.push(
        problem(
          document.file,
          document.placeOf(["mqtt", "anonymous"]),
          "there are no users: nobody could connect",
          "name a password file in mqtt.users, or write true",
        ),
      );
    const named = mqtt?.acl?.findIndex(({ user }) => user !== undefined) ?? -1;
    if (named >= 0)
      notes.push(
        problem(
          document.file,
          document.placeOf(["mqtt", "acl", named, "user"]),
          "there are no users: a client has the name that it says, and no password is asked for",
          "name a password file in mqtt.users",
        ),
      );
    return undefined;
  }
  const place = document.placeOf(["mqtt", "users"]);
  const file = resolve(dirname(document.file), mqtt.users);
  const read = readText(file);
  if (read.kind === "failed") {
    const hint = "make it with `highwater user add NAME --mqtt`, or with mosquitto_passwd";
    problems.push(problem(document.file, place, `the password file ${mqtt.users} cannot be read: ${read.reason}`, hint));
    return undefined;
  }
  const shown = join(dirname(document.file), mqtt.users);
  const { users, flaws } = parsePasswordFile(read.text);
  for (const { line, column, message, hint } of flaws) problems.push(problem(shown, { line, column }, message, hint));
  if (mqtt.acl === undefined)
    problems.push(
      problem(
        document.file,
        place,
        "there are users, but no acl: nobody could publish",
        'for example: acl: [{ publish: ["sensors/#"], subscribe: ["highwater/#"] }]',
      ),
    );
  if (users.size === 0 && flaws.length === 0) notes.push(problem(document.file, place, `the password file ${mqtt.users} holds no users: nobody can log in`));
  if ((statSync(file).mode & OTHERS_MAY_READ) !== 0)
    notes.push(problem(document.file, place, `everybody on this machine may read the password file ${mqtt.users}`, `chmod 640 ${mqtt.users}`));
  return read.text;
}

/** Whether clients may come without a name. */
export const takesAnonymous = (mqtt: Blocks["mqtt"]): boolean => (mqtt.anonymous ?? mqtt.users === undefined) !== false;

/** Where the password file is or shall be, by a config that need not be right otherwise. */
export function findMqttUsersFile(config: string): { readonly kind: "ok"; readonly file: string } | { readonly kind: "failed"; readonly reason: string } {
  const read = readText(config);
  if (read.kind === "failed") return { kind: "failed", reason: `it cannot be read: ${read.reason}` };
  const document = readDocument(config, read.text);
  const users = (document.value as { mqtt?: { users?: unknown } } | undefined)?.mqtt?.users;
  if (document.broken) return { kind: "failed", reason: "it is no YAML; `highwater check` says where" };
  if (typeof users !== "string" || users === "") return { kind: "failed", reason: "mqtt.users names no password file" };
  if (users.includes("${")) return { kind: "failed", reason: "mqtt.users holds a variable; write its path" };
  return { kind: "ok", file: resolve(dirname(config), users) };
}
