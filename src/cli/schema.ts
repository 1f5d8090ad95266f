// `highwater schema`: the JSON Schema of the config, for editors (`# yaml-language-server: $schema=…`). Made from the schemas that `check` uses.

import type { Command } from "commander";
import { editorSchema } from "../config.ts";
import type { CliCommand } from "./command.ts";

export const schemaCommand: CliCommand = {
  name: "schema",
  summary: "print the JSON Schema of the config, for editors",
  register(program: Command): void {
    program.action(() => {
      process.stdout.write(`${JSON.stringify(editorSchema(), null, 2)}\n`);
    });
  },
};
