// `mqtt.bridges` as written in the config: other brokers to which the gateway subscribes. What a file on disk must be like is
// checked where the config knows its folder; here paths are text.

import { z } from "zod";
import { durationSchema } from "../engine/duration-schema.ts";

const urlSchema = z
  .string()
  .regex(/^(?:mqtts?|wss?):\/\/[^\s/@?#]+(?:\/[^\s@?#]*)?$/, "write mqtt://HOST:1883, mqtts://HOST:8883, ws:// or wss://, without a name and a password in it")
  .meta({ description: "The other broker; username and password have keys of their own" });

const filterWords = "write a topic filter such as sensors/+/temperature or zigbee2mqtt/#";
const filterSchema = z
  .string()
  .max(1_024)
  .regex(/^(?!\$share\/)(?:#|(?!$)(?:\+|[^+#\x00]*?)(?:\/(?:\+|[^+#/\x00]*))*(?:\/#)?)$/, filterWords);

const tlsSchema = z
  .strictObject({
    ca: z.string().min(1).exactOptional().meta({ description: "File with the certificates that are trusted; those of the system when absent" }),
    cert: z.string().min(1).exactOptional().meta({ description: "File with our own certificate, when the broker asks for one" }),
    key: z.string().min(1).exactOptional().meta({ description: "File with the key of `cert`" }),
    insecure: z.boolean().default(false).meta({ description: "Take any certificate: what is sent is hidden, but who gets it is not known" }),
  })
  .meta({ description: "For mqtts:// and wss://; paths are relative to this file", dependentRequired: { cert: ["key"], key: ["cert"] } });

/** One bridge as written in the config. */
export const bridgeSchema = z
  .strictObject({
    url: urlSchema,
    topics: z.array(filterSchema).min(1).max(1_000).meta({ description: "What is subscribed to, with QoS 1; `sources` read what comes" }),
    username: z.string().min(1).max(1_024).exactOptional().meta({ description: "Account at the other broker" }),
    password: z.string().min(1).exactOptional().meta({ description: "Its password; as ${NAME} or password_file" }),
    tls: tlsSchema.exactOptional(),
    shared_group: z
      .string()
      .regex(/^[^/+#\s\x00]{1,100}$/, "a group's name has no /, +, # and no space")
      .exactOptional()
      .meta({ description: "Gateways that name the same group divide the messages among them" }),
    version: z
      .enum(["auto", "5", "3.1.1"], 'write "auto", "5" or "3.1.1"')
      .default("auto")
      .meta({ description: "Of MQTT; auto: 5, and 3.1.1 when the broker refuses that" }),
    client_id: z
      .string()
      .min(1)
      .max(200)
      .exactOptional()
      .meta({ description: "Names our session at the broker, so it must be no one else's; default: one of the data directory's own" }),
    session_expiry: durationSchema
      .prefault("1d")
      .meta({ description: "How long the broker keeps messages for us while we are away (MQTT 5; an older one has its own setting)" }),
    unacknowledged: z
      .int()
      .min(1)
      .max(65_535)
      .default(128)
      .meta({ description: "Messages that may wait for their commit; the broker (MQTT 5), or the socket, waits beyond" }),
  })
  .superRefine(({ url, tls, username, password }, context) => {
    const isPlain = /^(?:mqtt|ws):/.test(url);
    if (tls !== undefined && isPlain)
      context.addIssue({ code: "custom", path: ["tls"], message: "tls needs mqtts:// or wss://", params: { hint: "change the url, or take tls out" } });
    if (tls !== undefined && (tls.cert === undefined) !== (tls.key === undefined))
      context.addIssue({ code: "custom", path: ["tls"], message: "cert and key go together", params: { hint: "give both, or neither" } });
    if (password !== undefined && username === undefined)
      context.addIssue({ code: "custom", path: ["password"], message: "a password needs a username", params: { hint: "add username" } });
  })
  .meta({ dependentRequired: { password: ["username"] } });

export const bridgesSchema = z
  .array(bridgeSchema)
  .max(100)
  .superRefine((bridges, context) => {
    for (const [index, { url, client_id: id }] of bridges.entries()) {
      const twin = bridges.findIndex((other) => other.url === url && other.client_id === id);
      if (twin < index)
        context.addIssue({
          code: "custom",
          path: [index, "url"],
          message: `bridge ${twin + 1} goes to ${url} already, and would be thrown out by this one`,
          params: { hint: "put the topics into one bridge, or give each a client_id" },
        });
    }
  })
  .prefault([])
  .meta({ description: "Other brokers whose messages are taken too" });

export type BridgeSettings = z.output<typeof bridgeSchema>;
