// What people do, on made-up alerts: as little of the engine as the server and the page need to be tried. Which act is legal in which
// state is said by the engine's own table.

import { type Command, type CommandAnswer, type RefusalCode } from "../../src/engine/dispatch/command.ts";
import { type LifeEvent, refusalOf, refusals } from "../../src/engine/dispatch/life.ts";
import type { AlertEvent, AlertEventKind, OverrideRecord, Shelf, Silence } from "../../src/engine/dispatch/record.ts";
import { compileMatchers } from "../../src/engine/matcher.ts";
import type { RulePlan } from "../../src/engine/rule.ts";
import type { AlertView, QueryAnswers, QueryRequest, SilenceView } from "../../src/storage/query.ts";

type Kind = "silences" | "shelves" | "overrides" | "silenced";
type Answers = { [Each in Kind]: (request: Extract<QueryRequest, { kind: Each }>) => QueryAnswers[Each] };
type OfOne = Exclude<Command, { kind: "silence" | "end_silence" | "override" | "remove_override" }>;

const refused = (code: RefusalCode): CommandAnswer => ({ kind: "refused", code, ...refusals[code] });
const written = {
  acknowledge: "acknowledged",
  unacknowledge: "unacknowledged",
  comment: "commented",
  shelve: "shelved",
  unshelve: "unshelved",
  take_out_of_service: "out_of_service",
  return_to_service: "in_service",
  reset: "reset",
} as const satisfies Record<OfOne["kind"], AlertEventKind>;

export function createFakeOperator({ alerts, now, plan }: { alerts: AlertView[]; now: () => number; plan: () => RulePlan }) {
  const commands: { by: string; command: Command }[] = [];
  const events = new Map<string, AlertEvent[]>();
  const silences: Silence[] = [];
  const overrides: OverrideRecord[] = [];
  let next: CommandAnswer | Error | undefined;

  const change = (id: string, changed: Partial<AlertView>): void => {
    const index = alerts.findIndex((alert) => alert.id === id);
    alerts[index] = { ...(alerts[index] as AlertView), ...changed };
  };
  const shelfOf = (command: Extract<Command, { kind: "shelve" | "take_out_of_service" }>, by: string): Shelf => {
    const { alert, why } = command;
    const until = command.kind === "shelve" ? (command.until ?? now() + 28_800_000) : null;
    const kind = command.kind === "take_out_of_service" ? "out_of_service" : command.until === null ? "until_clear" : "timed";
    return { key: alert.id, kind, rule: alert.rule, subject: alert.subject, labels: alert.labels, by, at: now(), until, why };
  };
  const changedBy = (command: OfOne, by: string): Partial<AlertView> => {
    switch (command.kind) {
      case "acknowledge":
        return { ackedBy: by, ackedAt: now(), ackNote: command.note };
      case "unacknowledge":
        return { ackedBy: null, ackedAt: null, ackNote: null };
      case "shelve":
      case "take_out_of_service":
        return { shelf: shelfOf(command, by) };
      case "unshelve":
      case "return_to_service":
        return { shelf: null };
      case "reset":
        return { state: "resolved", latchedAt: null, resolvedAt: now() };
      case "comment":
        return {};
      default: {
        const never: never = command;
        return never;
      }
    }
  };
  function actOn(command: OfOne, by: string): CommandAnswer {
    const id = typeof command.alert === "string" ? command.alert : command.alert.id;
    const alert = alerts.find((each) => each.id === id);
    if (alert === undefined || alert.state === "pending") return refused("not_active");
    const condition = alert.state === "resolved" ? "over" : alert.latchedAt !== null ? "latched" : alert.state;
    const event: LifeEvent = command.kind === "shelve" && command.until === null ? "shelve_until_clear" : command.kind;
    const refusal = refusalOf({ condition, isAcknowledged: alert.ackedAt != null, shelving: alert.shelf?.kind ?? "none" }, event);
    if (refusal !== undefined) return refused(refusal);
    const changed = changedBy(command, by);
    change(id, changed);
    const text = "note" in command ? command.note : "text" in command ? command.text : command.why;
    const list = events.get(id) ?? [];
    events.set(id, [...list, { alert: id, number: list.length + 1, at: now(), kind: written[command.kind], by, text, until: changed.shelf?.until ?? null }]);
    return { kind: "done", id: null };
  }
  function override(given: Extract<Command, { kind: "override" }>, by: string): CommandAnswer {
    if (plan().dispatch?.schedules.some(({ name }) => name === given.schedule) !== true) return refused("unknown_schedule");
    if (!plan().receivers.some(({ name }) => name === given.member)) return refused("unknown_member");
    if (given.to <= Math.max(given.from, now())) return refused("span_empty");
    const id = `o${overrides.length + 1}`;
    const { schedule, member, from, to, why } = given;
    overrides.push({ id, schedule, member, from, to, why, by, createdAt: now(), removedBy: null });
    return { kind: "done", id };
  }
  function carryOut(command: Command, by: string): CommandAnswer {
    if (command.kind === "override") return override(command, by);
    if (command.kind === "remove_override") {
      const index = overrides.findIndex(({ id }) => id === command.id);
      if (index < 0) return refused("unknown_override");
      overrides.splice(index, 1);
      return { kind: "done", id: null };
    }
    if (command.kind === "silence") {
      const { matchers, startsAt, endsAt, why } = command;
      if (endsAt <= Math.max(startsAt, now())) return refused("span_empty");
      const id = `s${silences.length + 1}`;
      silences.push({ id, matchers, startsAt, endsAt, by, why, createdAt: now(), endedBy: null });
      return { kind: "done", id };
    }
    if (command.kind !== "end_silence") return actOn(command, by);
    const index = silences.findIndex(({ id }) => id === command.id);
    const silence = silences[index];
    if (silence === undefined) return refused("unknown_silence");
    silences[index] = { ...silence, endsAt: now(), endedBy: by };
    return { kind: "done", id: null };
  }
  const answers: Answers = {
    silences: ({ now: at, states, id }) => {
      const stateOf = ({ startsAt, endsAt }: Silence): SilenceView["state"] => (endsAt <= at ? "expired" : startsAt > at ? "pending" : "active");
      const found = silences.map((silence): SilenceView => ({ ...silence, state: stateOf(silence) }));
      const wanted = found.filter((silence) => (states?.includes(silence.state) ?? true) && (id === undefined || id === silence.id));
      return { silences: wanted.sort((a, b) => b.endsAt - a.endsAt), cursor: null };
    },
    shelves: () => ({
      shelves: alerts.flatMap(({ shelf, id, state }) => (shelf == null || state === "pending" ? [] : [{ ...shelf, alert: id, state }])),
      cursor: null,
    }),
    overrides: ({ now: at, schedule }) => ({ overrides: overrides.filter((each) => each.to > at && (schedule === undefined || each.schedule === schedule)) }),
    silenced: ({ matchers, limit }) => {
      const found = alerts.filter(({ state, labels }) => ["firing", "recovering"].includes(state) && compileMatchers(matchers)(labels));
      return { count: found.length, alerts: found.slice(0, limit) };
    },
  };
  return {
    commands,
    answers,
    eventsOf: (id: string): AlertEvent[] => events.get(id) ?? [],
    answerNext(answer: CommandAnswer | Error): void {
      next = answer;
    },
    async command(by: string, command: Command): Promise<CommandAnswer> {
      commands.push({ by, command });
      const answer = next ?? carryOut(command, by);
      next = undefined;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
}
