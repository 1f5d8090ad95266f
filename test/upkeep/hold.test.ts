// What is held for want of room, and how it ends.

import { expect, it } from "vitest";
import { createHold } from "../../src/upkeep/hold.ts";

function watched() {
  const said: string[] = [];
  const hold = createHold<string>({
    take: (turn) => said.push(`take ${turn}`),
    holding: (reason) => said.push(`holding ${reason}`),
    released: () => said.push("released"),
  });
  return { hold, said };
}

it("takes turns at once, or when what held them is gone", () => {
  const { hold, said } = watched();
  hold.turn("a");
  hold.set("no room");
  hold.turn("b");
  hold.set(undefined);
  hold.set("no room");
  hold.set(undefined);
  hold.set(undefined);
  expect(said).toEqual(["take a", "holding no room", "take b", "holding no room", "released"]);
});

it("does not say that it takes turns again when only the disk does", () => {
  const { hold, said } = watched();
  hold.diskTakesAgain();
  hold.set("no room");
  hold.diskTakesAgain();
  expect(said).toEqual(["released", "holding no room", "holding no room"]);
});

it("lets the last turns through when the gateway ends, also those that come before a hold that was decided earlier", () => {
  const { hold, said } = watched();
  hold.set("no room");
  hold.turn("a");
  hold.end();
  hold.set("no room");
  hold.turn("b");
  expect(said).toEqual(["holding no room", "take a", "take b"]);
});
