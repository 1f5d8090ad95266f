// Users of the MQTT broker, for `highwater user … --mqtt`: changes the password file that the config names, as a whole or not at all,
// and asks a gateway that runs to read it again.

import { existsSync, readFileSync } from "node:fs";
import { isPassword, nameFlaw, parsePasswordFile, passwordLine, withoutUser, withUser } from "../broker/password-file.ts";
import { findMqttUsersFile, loadConfig } from "../config.ts";
import { callControl } from "../control.ts";
import { GatewayError } from "../error.ts";
import { USAGE } from "./command.ts";
import { writeWhole } from "./whole-file.ts";

export type MqttUserChange =
  | { readonly kind: "add" | "passwd"; readonly name: string; readonly password: string }
  | { readonly kind: "remove"; readonly name: string };

/** `inForce`: a gateway runs and has taken it. `refused`: the file is changed, and a gateway that runs keeps the users it had. */
export type MqttUsersChanged = { readonly file: string; readonly inForce: boolean; readonly refused?: string };

/** Only whom it belongs to may read and write it, and its group read it. */
const MODE = 0o640;

/**
 * @param config path of the config; only `mqtt.users` of it must be right, as the file may not be there yet
 * @throws GatewayError what is wrong with the name, the config or the file; then nothing is changed
 */
export async function changeMqttUsers(config: string, change: MqttUserChange): Promise<MqttUsersChanged> {
  const flaw = nameFlaw(change.name);
  if (flaw !== undefined) throw new GatewayError(USAGE, flaw);
  const file = fileOf(config);
  writeWhole(file, await changed(textOf(file), change), { mode: MODE, code: "users_not_written" });
  return { file, ...(await reload(config)) };
}

/** @returns the names, in the order of the file */
export function listMqttUsers(config: string): string[] {
  return [...parsePasswordFile(textOf(fileOf(config))).users.keys()];
}

async function changed(text: string, change: MqttUserChange): Promise<string> {
  const { users } = parsePasswordFile(text);
  const isThere = users.has(change.name);
  if (change.kind === "add" && isThere)
    throw new GatewayError("user_exists", `there is a user ${change.name} already`, { hint: "`highwater user passwd` changes the password" });
  if (change.kind !== "add" && !isThere)
    throw new GatewayError("user_missing", `there is no user ${change.name}`, { hint: "`highwater user list --mqtt` says who there is" });
  if (change.kind === "remove") return withoutUser(text, change.name) as string;
  if (change.password === "") throw new GatewayError(USAGE, "the password is empty");
  if (isThere && (await isPassword(users.get(change.name), Buffer.from(change.password)))) return text;
  return withUser(text, await passwordLine(change.name, change.password));
}

function fileOf(config: string): string {
  const found = findMqttUsersFile(config);
  if (found.kind === "ok") return found.file;
  throw new GatewayError(USAGE, `${config}: ${found.reason}`, { hint: 'write mqtt: { users: ./mqtt-users, acl: [{ publish: ["sensors/#"] }] }' });
}

const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8") : "");

async function reload(config: string): Promise<Omit<MqttUsersChanged, "file">> {
  const loaded = loadConfig(config);
  const broken = { inForce: false, refused: "the config is not valid (`highwater check` says why): a gateway that runs keeps the users it had" };
  if (loaded.kind === "invalid") return broken;
  const answer = await callControl(loaded.config.gateway.dataDir, "reload", {}, () => {});
  if (answer === undefined) return { inForce: false };
  return (answer.value as { kind?: string }).kind === "ok" ? { inForce: true } : broken;
}
