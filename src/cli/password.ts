// Where a password comes from: asked for twice on the terminal without showing it, the first line of stdin, or made here.

import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { GatewayError } from "../error.ts";
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from "../http/accounts/administer.ts";
import { USAGE } from "./command.ts";

export type PasswordOptions = { readonly passwordStdin?: true; readonly generate?: true };

/** Without letters and digits that look alike; 20 of them have more than 110 bits. */
const LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const GENERATED_LENGTH = 20;
const [CTRL_C, CTRL_D, BACKSPACE, DELETE] = ["\u0003", "\u0004", "\b", "\u007f"];

/**
 * @returns the password, and whether it was made here and has to be told
 * @throws GatewayError `usage` when there is none, or it is too short or too long
 */
export async function passwordFrom({ passwordStdin, generate }: PasswordOptions): Promise<{ readonly password: string; readonly isNew: boolean }> {
  if (passwordStdin && generate) throw new GatewayError(USAGE, "use either --password-stdin or --generate");
  if (generate) return { password: Array.from({ length: GENERATED_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join(""), isNew: true };
  const password = passwordStdin ? await firstLine() : await askedTwice();
  if (password.length < PASSWORD_LENGTH_MIN || password.length > PASSWORD_LENGTH_MAX)
    throw new GatewayError(USAGE, `a password takes ${PASSWORD_LENGTH_MIN} to ${PASSWORD_LENGTH_MAX} characters`, { hint: "--generate makes one" });
  return { password, isNew: false };
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  return "";
}

async function askedTwice(): Promise<string> {
  if (!process.stdin.isTTY) throw new GatewayError(USAGE, "there is no terminal to ask for the password", { hint: "use --password-stdin or --generate" });
  const password = await asked("Password: ");
  if ((await asked("Once more: ")) !== password) throw new GatewayError(USAGE, "these were two different passwords");
  return password;
}

/** What is typed until the end of the line; nothing of it is shown. */
async function asked(question: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  stdin.setRawMode(true).resume().setEncoding("utf8");
  let typed = "";
  try {
    for (;;) {
      const [chunk] = (await once(stdin, "data")) as [string];
      for (const letter of chunk) {
        if (letter === CTRL_C || letter === CTRL_D) throw new GatewayError(USAGE, "no password was given");
        if (letter === "\r" || letter === "\n") return typed;
        typed = letter === BACKSPACE || letter === DELETE ? Array.from(typed).slice(0, -1).join("") : typed + letter;
      }
    }
  } finally {
    stdin.setRawMode(false).pause();
    stderr.write("\n");
  }
}
