// The whole config as zod schemas, one per block, each with its defaults: an empty file is a config. Unknown keys are errors.
// Codecs and channels bring their own settings (broker/codecs, notify/channels): a new one appears here by being listed there.
// What spans blocks (names that must exist, listeners that overlap) is checked in crosscheck.ts.

import { z } from "zod";
import { aclEntrySchema } from "../broker/acl.ts";
import { bridgesSchema } from "../broker/bridge-schema.ts";
import { limitsSchema } from "../broker/limits.ts";
import { durationSchema } from "../engine/duration-schema.ts";
import { labelsSchema, ruleSchema } from "../engine/rule.ts";
import { zoneTable } from "../zone.ts";
import { nameText } from "./name-schema.ts";
import { notify } from "./notify-schema.ts";
import { alarmPerformance } from "./performance-schema.ts";
import { sizeSchema } from "./size-schema.ts";
import { sourceSchema } from "./source-schema.ts";

/** The sources of a config that names none. */
const defaultSources = [{ topic: "sensors/{site}/{device}/{metric}", codec: "json", time: "/ts", value: "/value" }];

const portWords = "write a whole number from 0 to 65535";
/** A port; text of digits too, so that it may come from `${PORT}`. */
const portSchema = z
  .union(
    [
      z.int().min(0).max(65_535),
      z
        .string()
        .regex(/^\d{1,5}$/, portWords)
        .transform(Number)
        .pipe(z.int().max(65_535, portWords)),
    ],
    portWords,
  )
  .meta({ description: "TCP port; 0 takes a free one" });

const hostSchema = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]+$/, "write a host's name or an address, such as 127.0.0.1")
  .default("127.0.0.1")
  .meta({ description: "Name or address to listen on" });

const gateway = z
  .strictObject({
    name: nameText.default("highwater").meta({ description: "How the gateway calls itself in notifications and on the page" }),
    timezone: z
      .string()
      .refine((name) => zoneTable(name) !== undefined, { error: "no such time zone", params: { hint: "an IANA name such as Europe/Oslo, or UTC" } })
      .default("UTC")
      .meta({ description: "IANA zone of local days, such as Europe/Oslo" }),
    data_dir: z.string().min(1).default("./data").meta({ description: "Folder of the database; relative to this file" }),
    external_url: z
      .url({ protocol: /^https?$/, error: "write a whole URL such as http://gateway.example.org:8080" })
      .exactOptional()
      .meta({ description: "How people reach the page, for links in notifications; from `http` when absent" }),
  })
  .prefault({})
  .meta({ description: "The gateway itself" });

const pemPath = z.string().min(1).max(4_096);
const tls = z.strictObject({
  cert: pemPath.meta({ description: "PEM file of the certificate, then its chain; relative to this file" }),
  key: pemPath.meta({ description: "PEM file of its key, without a password" }),
  client_ca: pemPath
    .exactOptional()
    .meta({ description: "PEM file of the CA of the clients: each needs a certificate signed by it, whose common name is its user name" }),
});

const listener = z
  .strictObject({
    host: hostSchema,
    port: portSchema.prefault(1883),
    tls: tls.exactOptional().meta({ description: "TLS 1.2 or newer; the files are read again on a reload and every minute" }),
    websocket: z.boolean().exactOptional().meta({ description: "MQTT over WebSocket, on /mqtt or /, with the subprotocol mqtt; with tls it is wss" }),
    origins: z
      .array(z.string().regex(/^https?:\/\/[^/\s]+$/, "write an origin such as https://page.example.org, without a path"))
      .max(100)
      .exactOptional()
      .meta({ description: "Pages that may connect by WebSocket; default: those of the same host" }),
  })
  .prefault({})
  .meta({ description: "One TCP address to listen on" });

const mqtt = z
  .strictObject({
    listeners: z
      .array(listener)
      .min(1)
      .max(16)
      .prefault([{ host: "127.0.0.1", port: 1883 }])
      .meta({ description: "Where clients connect" }),
    anonymous: z
      .union([z.boolean(), z.literal("unsafe")], { error: "write true, false, or unsafe when a listener is not on loopback" })
      .exactOptional()
      .meta({ description: "Whether clients may come without a name; default: only while there are no users. Off loopback only as `unsafe`" }),
    users: z.string().min(1).exactOptional().meta({ description: "Password file in Mosquitto's format; relative to this file" }),
    acl: z
      .array(aclEntrySchema)
      .min(1)
      .max(1_000)
      .exactOptional()
      .meta({ description: "Who may publish and subscribe to what; with users, or with this, everything that no entry allows is denied" }),
    bridges: bridgesSchema,
    session_expiry: durationSchema.prefault("7d").meta({ description: "How long a session (clean session 0) is kept after its connection ended" }),
    limits: limitsSchema
      .unwrap()
      .extend({
        series: z
          .int()
          .min(1)
          .max(10_000_000)
          .default(100_000)
          .meta({ description: "Series the gateway takes; readings of one more are rejected (series_limit)" }),
        inbox_bytes: z
          .int()
          .min(65_536)
          .max(4_294_967_296)
          .default(67_108_864)
          .meta({ description: "Bytes that wait for the next commit; beyond it sockets are not read" }),
      })
      .prefault({})
      .meta({ description: "What goes beyond is refused, and counted" }),
  })
  .prefault({})
  .meta({ description: "The embedded MQTT broker" });

const device = z
  .strictObject({
    labels: labelsSchema.prefault({}).meta({ description: "Added to the labels of each of its series" }),
    limits: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "a limit's name has letters, digits and _, and begins with no digit"), z.number())
      .default({})
      .meta({ description: "Numbers that rules name as limit.NAME" }),
    unit: z.string().max(20).exactOptional().meta({ description: "Unit of its values, such as °C" }),
    expected_every: durationSchema.exactOptional().meta({ description: "How often it reports" }),
  })
  .prefault({});

const devices = z.record(z.string().min(1), device).prefault({}).meta({ description: "What is known of devices, by their name (the label `device`)" });

const rulesFiles = z.array(z.string().min(1)).default([]).meta({ description: "Files with a key `rules`; * and ** as in a shell; relative to this file" });

const rules = z.array(ruleSchema).prefault([]).meta({ description: "Rules, beside those of rules_files" });

const kept = (time: string, description: string) =>
  z
    .union([durationSchema, z.strictObject({ time: durationSchema.prefault(time), bytes: sizeSchema.exactOptional() })])
    .prefault(time)
    .meta({ description });

const storage = z
  .strictObject({
    retention: z
      .strictObject({
        journal: kept("7d", "Each input as it arrived, for exact replay"),
        raw: kept("30d", "Each reading, by whole local days that are summarised"),
        "1m": kept("365d", "Rollups of a minute"),
        "1h": kept("3650d", "Rollups of an hour"),
      })
      .prefault({})
      .meta({ description: "How long history is kept, from its arrival on: a time, and the bytes that it may take" }),
    disk_limit: sizeSchema.exactOptional().meta({
      description: "Size of the database beyond which the oldest summarised days of readings go before their time; without it there is no limit but the disk's",
    }),
  })
  .prefault({})
  .meta({ description: "The store" });

const batch = z
  .strictObject({
    daily_summary: z
      .strictObject({
        at: z
          .string()
          .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'write a time of day in quotes, such as "04:15"')
          .default("04:15")
          .meta({ description: "Local time of day at which the days before are summarised" }),
        receiver: nameText
          .exactOptional()
          .meta({ description: "Who gets the mail; default: the route's receiver, or the first one where the route names a schedule or an escalation" }),
      })
      .prefault({})
      .meta({ description: "Exact figures of each local day" }),
  })
  .prefault({})
  .meta({ description: "Work at night" });

const http = z
  .strictObject({
    host: hostSchema,
    port: portSchema.prefault(8080),
    anonymous: z
      .literal("unsafe")
      .exactOptional()
      .meta({ description: "Without any account listen off loopback too, where anyone who reaches the port may read everything" }),
  })
  .prefault({})
  .meta({ description: "The page, the API and the metrics" });

const sources = z
  .array(sourceSchema)
  .min(1)
  .max(1_000)
  .prefault(defaultSources)
  .meta({ description: "Which topics hold readings; the first whose template matches wins" });

/** The blocks in the order of the documentation. */
export const blocks = {
  gateway,
  mqtt,
  sources,
  devices,
  rules_files: rulesFiles,
  rules,
  notify,
  alarm_performance: alarmPerformance,
  storage,
  batch,
  http,
} as const;
export type BlockName = keyof typeof blocks;
export type Blocks = { [Name in BlockName]: z.output<(typeof blocks)[Name]> };

export const configSchema = z.strictObject(blocks).meta({ title: "Highwater", description: "The config of the IoT sensor alerting gateway Highwater" });
export const rulesFileSchema = z.strictObject({ rules });
