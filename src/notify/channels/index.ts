// The open list of channels. To add one: a file beside this, a line here; test/contracts/channel.test.ts tests it by its being listed.

import type { Channel } from "./channel.ts";
import { email } from "./email.ts";
import { webhook } from "./webhook.ts";

export const channels = [email, webhook] as const;
export type ChannelType = (typeof channels)[number]["type"];

/** The channel of a type, its settings opaque: whoever asks has parsed them with its schema. */
export function channelOf(type: string): Channel<unknown> | undefined {
  return channels.find((channel) => channel.type === type) as Channel<unknown> | undefined;
}
