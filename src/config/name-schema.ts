// What people name in the config: receivers, schedules, the gateway itself.

import { z } from "zod";

export const nameText = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\x00-\x1f\x7f]*$/, "a name holds no control characters");
