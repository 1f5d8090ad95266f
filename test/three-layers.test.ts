// The page about the three layers shows what they really say of its example day.

import { expect, it } from "vitest";
import { exampleDay } from "./three-layers/example-day.ts";
import { pageOf } from "./three-layers/page.ts";

it("docs/reference/three-layers.md is current", async () => {
  await expect(pageOf(await exampleDay())).toMatchFileSnapshot("../docs/reference/three-layers.md");
});
