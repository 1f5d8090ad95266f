// Sizes as zod reads them: text such as `20GB` in YAML, bytes inside. Units of 1000 (kB, MB, GB, TB) and of 1024 (KiB, MiB, GiB, TiB).

import { z } from "zod";

const units: Readonly<Record<string, number>> = { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
const PATTERN = `^[0-9]+(\\.[0-9]+)?(${Object.keys(units).join("|")})$`;
const words = "write a size such as 500MB, 20GB or 1.5TB";

/** At least a megabyte; less is a slip of the unit. */
const BYTES_MIN = 1_000_000;

export const sizeSchema = z
  .string({ error: words })
  .regex(new RegExp(PATTERN), words)
  .meta({ description: "A size: 500MB 20GB 1.5TB, or MiB GiB TiB", pattern: PATTERN })
  .transform((text, context): number => {
    const [, figure, unit] = /^([0-9.]+)([A-Za-z]+)$/.exec(text) as unknown as [string, string, string];
    const bytes = Math.round(Number(figure) * (units[unit] as number));
    if (bytes >= BYTES_MIN) return bytes;
    context.addIssue({ code: "custom", message: "must be at least 1MB" });
    return z.NEVER;
  });
