// The name of a data directory among all others: drawn once, and kept in it. What must be the same at each start and no other
// gateway's, such as a client id at another broker, is made from it. A copy of the directory has the same name.

import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { explaining } from "./data-dir-error.ts";

const IDENTITY_FILE = "identity";

/** To be called under the lock of the data directory. @throws GatewayError, those of `explaining` */
export function identityOf(dataDir: string): string {
  const file = join(dataDir, IDENTITY_FILE);
  return explaining(file, () => {
    try {
      const text = readFileSync(file, "utf8").trim();
      if (text !== "") return text;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    const drawn = randomBytes(8).toString("hex");
    // Whole or not at all, whenever the power goes.
    writeFileSync(`${file}.new`, `${drawn}\n`);
    renameSync(`${file}.new`, file);
    return drawn;
  });
}
