// Where a password comes from: asked for twice on the terminal without showing it, the first line of stdin, or made here.

import { randomInt } from "node:crypto";
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
export async function passwordFrom(
  { passwordStdin, generate }: PasswordOptions,
  lengthMin = PASSWORD_LENGTH_MIN,
): Promise<{ readonly password: string; readonly isNew: boolean }> {
  if (passwordStdin && generate) throw new GatewayError(USAGE, "use either --password-stdin or --generate");
  if (generate) return { password: Array.from({ length: GENERATED_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join(""), isNew: true };
  const password = passwordStdin ? await firstLine() : await askedTwice();
  if (password.length < lengthMin || password.length > PASSWORD_LENGTH_MAX)
    throw new GatewayError(USAGE, `a password takes ${lengthMin} to ${PASSWORD_LENGTH_MAX} characters`, { hint: "--generate makes one" });
  return { password, isNew: false };
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin })) return line;
  return "";
}

async function askedTwice(): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) throw new GatewayError(USAGE, "there is no terminal to ask for the password", { hint: "use --password-stdin or --generate" });
  // First the echo is off, then it is asked: what is typed in between must not be seen either.
  stdin.setRawMode(true).setEncoding("utf8");
  const letters = lettersOf(stdin);
  try {
    const [first, second] = [await asked("Password: ", letters, stderr), await asked("Once more: ", letters, stderr)];
    if (first === second) return first;
    throw new GatewayError(USAGE, "these were two different passwords");
  } finally {
    stdin.setRawMode(false).pause();
  }
}

/** What is typed until the end of the line; nothing of it is shown. */
async function asked(question: string, letters: AsyncGenerator<string>, out: NodeJS.WritableStream): Promise<string> {
  out.write(question);
  let typed = "";
  for (;;) {
    const { value: letter = CTRL_D } = (await letters.next()) as { value?: string };
    if (letter === "\r" || letter === "\n") break;
    if (letter === CTRL_C || letter === CTRL_D) {
      out.write("\n");
      throw new GatewayError(USAGE, "no password was given");
    }
    typed = letter === BACKSPACE || letter === DELETE ? Array.from(typed).slice(0, -1).join("") : typed + letter;
  }
  out.write("\n");
  return typed;
}

async function* lettersOf(stdin: NodeJS.ReadStream): AsyncGenerator<string> {
  for await (const chunk of stdin) yield* Array.from(String(chunk));
}
