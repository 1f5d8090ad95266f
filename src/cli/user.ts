// `highwater user`: who may log in to the page and the API, and as what. It takes effect at once, also while a gateway runs: a new
// password or a removal ends the sessions of that user. The password itself leaves this process only as a hash. With `--mqtt` it is
// about the clients of the broker, who stand in a file of their own (mqtt-users.ts).

import { Argument, type Command, Option } from "commander";
import { GatewayError } from "../error.ts";
import type { AccountsAnswer, AccountsCommand, UserView } from "../http/accounts/administer.ts";
import { hashPassword } from "../password.ts";
import { type Role, roles } from "../storage/accounts.ts";
import { type CommonOptions, carryOut, checkName, common, configOf } from "./account-store.ts";
import { type CliCommand, EXIT_FAILED, USAGE } from "./command.ts";
import { changeMqttUsers, listMqttUsers, type MqttUserChange } from "./mqtt-users.ts";
import { type PasswordOptions, passwordFrom } from "./password.ts";
import { shownPath } from "./problems.ts";
import { timeText } from "./text.ts";

type Common = CommonOptions & { readonly mqtt?: true };

export const userCommand: CliCommand = {
  name: "user",
  summary: "who may log in to the page and the API",
  register(program: Command): void {
    const role = new Option("--role <role>", "what the user may do; default: viewer").choices(roles);
    withPassword(orMqtt(common(program.command("add <name>").description("make a user"))))
      .addOption(role)
      .action(add);
    withPassword(orMqtt(common(program.command("passwd <name>").description("set another password, and end the user's sessions")))).action(passwd);
    common(program.command("role <name>").description("change what a user may do")).addArgument(new Argument("<role>").choices(roles)).action(changeRole);
    orMqtt(common(program.command("remove <name>").description("take a user away, and end the user's sessions"))).action(remove);
    orMqtt(common(program.command("list").description("show the users"))).action(list);
  },
};

const orMqtt = (command: Command): Command => command.option("--mqtt", "a client of the MQTT broker, in the password file of the config");

const withPassword = (command: Command): Command =>
  command.option("--password-stdin", "read the password from the first line of stdin").option("--generate", "make a password and print it");

async function add(name: string, { role, ...options }: Common & PasswordOptions & { readonly role?: Role }): Promise<void> {
  if (options.mqtt) return await changeMqtt("add", name, { ...options, role });
  const config = configOf(options.config);
  checkName(name); // before a password is asked for
  const { password, isNew } = await passwordFrom(options);
  const command: AccountsCommand = { kind: "user add", name, role: role ?? "viewer", scrypt: await hashPassword(password), why: options.why ?? "" };
  print(await carryOut(config, command), options, `${name} is ${role ?? "viewer"} now`, isNew ? password : undefined);
}

async function passwd(name: string, options: Common & PasswordOptions): Promise<void> {
  if (options.mqtt) return await changeMqtt("passwd", name, options);
  const config = configOf(options.config);
  checkName(name); // before a password is asked for
  const { password, isNew } = await passwordFrom(options);
  const answer = await carryOut(config, { kind: "user passwd", name, scrypt: await hashPassword(password), why: options.why ?? "" });
  print(answer, options, `${name} has a new password; all sessions of ${name} have ended`, isNew ? password : undefined);
}

async function changeRole(name: string, role: Role, options: Common): Promise<void> {
  const answer = await carryOut(configOf(options.config), { kind: "user role", name, role, why: options.why ?? "" });
  print(answer, options, `${name} is ${role} now`);
}

async function remove(name: string, options: Common): Promise<void> {
  if (options.mqtt) return await changeMqtt("remove", name, options);
  const answer = await carryOut(configOf(options.config), { kind: "user remove", name, why: options.why ?? "" });
  print(answer, options, `${name} is gone; all sessions of ${name} have ended`);
}

async function list(options: Common): Promise<void> {
  if (options.mqtt) {
    const names = listMqttUsers(options.config);
    const text = names.length === 0 ? "there are no users of the broker" : names.join("\n");
    return void process.stdout.write(`${options.json ? JSON.stringify({ users: names.map((name) => ({ name })) }, null, 2) : text}\n`);
  }
  const answer = await carryOut(configOf(options.config), { kind: "user list", why: "" });
  const users = answer.kind === "users" ? answer.users : [];
  const width = Math.max(...users.map(({ name }) => name.length), 0);
  const lines = users.map(({ name, role, createdAt }) => `${name.padEnd(width)}  ${role.padEnd(8)}  since ${timeText(createdAt)}`);
  print(answer, options, lines.length === 0 ? "there are no users: HTTP is for this machine only" : lines.join("\n"));
}

/** Roles and the audit log are of those who log in to the page. */
async function changeMqtt(kind: MqttUserChange["kind"], name: string, options: Common & PasswordOptions & { readonly role?: Role | undefined }): Promise<void> {
  if (options.role !== undefined || options.why !== undefined)
    throw new GatewayError(USAGE, "--mqtt goes with neither --role nor --why", { hint: "mqtt.acl in the config says what clients may do" });
  const { password, isNew } = kind === "remove" ? { password: "", isNew: false } : await passwordFrom(options, 1);
  const { file, inForce, refused } = await changeMqttUsers(options.config, kind === "remove" ? { kind, name } : { kind, name, password });
  const done = kind === "remove" ? `${name} is no user of the broker any more` : `${name} may connect to the broker with this password`;
  const text = `${done}: ${shownPath(file)}, ${inForce ? "in force" : "for the next start"}`;
  const secret = isNew ? { password } : {};
  const told = options.json
    ? JSON.stringify({ name, file, in_force: inForce, ...secret }, null, 2)
    : [text, ...(isNew ? [`password: ${password}`] : [])].join("\n");
  process.stdout.write(`${told}\n`);
  if (refused === undefined) return;
  process.stderr.write(`${refused}\n`);
  process.exitCode = EXIT_FAILED;
}

function print(answer: AccountsAnswer, { json }: Common, text: string, password?: string): void {
  const secret = password === undefined ? {} : { password };
  const users = answer.kind === "users" ? answer.users.map(userJson) : [];
  const told = json ? JSON.stringify({ users, ...secret }, null, 2) : [text, ...Object.values(secret).map((made) => `password: ${made}`)].join("\n");
  process.stdout.write(`${told}\n`);
}

const userJson = ({ name, role, createdAt }: UserView) => ({ name, role, created_at: new Date(createdAt).toISOString() });
