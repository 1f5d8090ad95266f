// `compare`: two metrics of one device, by their difference or ratio. Its last values count; it is judged with each reading of either.

import { z } from "zod";
import { bindLimits, limitsMeta, limitsShape, measuring, refineLimits } from "../limits.ts";
import type { ConditionType, Member } from "./condition.ts";

const operations = ["difference", "ratio"] as const;

const schema = z
  .strictObject({
    type: z.literal("compare"),
    left: z.string().min(1).meta({ description: "The metric that is compared" }),
    right: z.string().min(1).meta({ description: "The metric of the same device that it is compared with" }),
    op: z.enum(operations).meta({ description: "difference: left - right; ratio: left / right" }),
    ...limitsShape,
  })
  .superRefine((settings, context) => {
    refineLimits(settings, context);
    if (settings.left === settings.right) context.addIssue({ code: "custom", path: ["right"], message: "left and right are the same metric" });
  })
  .meta(limitsMeta);
export type CompareSettings = z.output<typeof schema>;

export const compare: ConditionType<"compare", CompareSettings> = {
  type: "compare",
  schema,
  metrics: ({ left, right }) => [left, right],
  bind(settings, limits) {
    const bound = bindLimits(settings, limits);
    const { left, right, op } = settings;
    if (bound === undefined) return undefined;
    const isRatio = op === "ratio";
    const words = (text: string): string => `${left} ${isRatio ? "/" : "-"} ${right} ${text}`;
    const measure = (members: readonly Member[]): number => measureOf(valueOf(members, left), valueOf(members, right), op);
    return { on: "members", measure, ...measuring(bound, words, (unit) => (isRatio ? null : unit)) };
  },
};

const valueOf = (members: readonly Member[], metric: string): number => members.find(({ labels }) => labels["metric"] === metric)?.value ?? Number.NaN;

/** NaN, which judges nothing, where one of them is not there, and for a ratio to zero. */
function measureOf(left: number, right: number, op: (typeof operations)[number]): number {
  if (op === "difference") return left - right;
  return right === 0 ? Number.NaN : left / right;
}
