// Users of the MQTT broker, for `highwater user … --mqtt`: changes the password file that the config names, as a whole or not at all,
// and asks a gateway that runs to read it again.

import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isPassword, nameFlaw, parsePasswordFile, passwordLine, withoutUser, withUser } from "../broker/password-file.ts";
import { findMqttUsersFile, loadConfig } from "../config.ts";
import { callControl } from "../control.ts";
import { GatewayError } from "../error.ts";
import { USAGE } from "./command.ts";

export type MqttUserChange =
  | { readonly kind: "add" | "passwd"; readonly name: string; readonly password: string }
  | { readonly kind: "remove"; readonly name: string };

/** `inForce`: a gateway runs and has taken it. */
export type MqttUsersChanged = { readonly file: string; readonly inForce: boolean };

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
  writeWhole(file, await changed(textOf(file), change));
  return { file, inForce: await reload(config) };
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

/** Whoever reads it at any time finds the old file or the new one. */
function writeWhole(file: string, text: string): void {
  const beside = `${file}.${process.pid}.new`;
  try {
    writeFileSync(beside, text, { mode: MODE, flag: "wx" });
    chmodSync(beside, MODE);
    renameSync(beside, file);
  } catch (cause) {
    rmSync(beside, { force: true });
    throw new GatewayError("users_not_written", `${file} cannot be written: ${(cause as Error).message}`, {
      hint: "may this user write to its folder?",
      cause,
    });
  }
}

/** @returns whether a gateway runs and has taken it; what keeps it from that is the config's, and it says so itself */
async function reload(config: string): Promise<boolean> {
  const loaded = loadConfig(config);
  if (loaded.kind === "invalid") return false;
  const answer = await callControl(loaded.config.gateway.dataDir, "reload", {}, () => {});
  return (answer?.value as { kind?: string } | undefined)?.kind === "ok";
}
