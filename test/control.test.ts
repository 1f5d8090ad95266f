// The socket in the data directory: asks, progress, answers and failures over a real socket.

import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { callControl, createControl } from "../src/control.ts";

let dir = "";
let control: Awaited<ReturnType<typeof createControl>>;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "highwater-control-"));
  control = await createControl(dir, {
    async double(argument, progress) {
      for (const part of [1, 2]) progress(part);
      await new Promise((resolve) => setImmediate(resolve));
      return (argument as number) * 2;
    },
    async fail() {
      throw new Error("the disk is full");
    },
    hang: () => new Promise(() => {}),
  });
});
afterEach(async () => {
  await control.close();
  rmSync(dir, { recursive: true });
});

describe("control", () => {
  it("answers, with progress on the way", async () => {
    const seen: unknown[] = [];
    expect(await callControl(dir, "double", 21, (value) => seen.push(value))).toEqual({ value: 42 });
    expect(seen).toEqual([1, 2]);
  });

  it("says what failed, and which verb it does not know", async () => {
    await expect(callControl(dir, "fail", null, () => {})).rejects.toThrow("the disk is full");
    await expect(callControl(dir, "constructor", null, () => {})).rejects.toThrow("knows no verb constructor");
  });

  it("ends those that wait when it closes, and then nobody is there", async () => {
    const waiting = callControl(dir, "hang", null, () => {});
    const ended = expect(waiting).rejects.toThrow("ended before it answered");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await control.close();
    await ended;
    expect(await callControl(dir, "double", 1, () => {})).toBeUndefined();
  });

  it("cuts a caller that never ends its line", async () => {
    const socket = connect(join(dir, "highwater.sock"));
    socket.on("error", () => {});
    socket.write("x".repeat(70_000));
    await new Promise((resolve) => socket.once("close", resolve));
    expect(await callControl(dir, "double", 2, () => {})).toEqual({ value: 4 });
  });

  it("takes the place of a socket that a killed gateway left", async () => {
    const second = await createControl(dir, { double: async () => "second" });
    expect(await callControl(dir, "double", 1, () => {})).toEqual({ value: "second" });
    await second.close();
  });
});
