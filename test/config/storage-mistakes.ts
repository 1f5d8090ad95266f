// Mistakes about what is kept, and for how long: see mistakes.ts.

export const mistakesOfStorage: [string, string, string[]][] = [
  ["a size without a unit", "storage: { disk_limit: 20 }", ["1:24: disk_limit cannot be 20 (write a size such as 500MB, 20GB or 1.5TB)"]],
  ["a size that is a slip", "storage: { disk_limit: 20kB }", ['1:24: disk_limit "20kB": must be at least 1MB']],
  [
    "a retention of bytes without a unit",
    "storage: { retention: { raw: { time: 3d, bytes: 5 } } }",
    ["1:49: bytes cannot be 5 (write a size such as 500MB, 20GB or 1.5TB)"],
  ],
  ["a retention of nothing", "storage: { retention: { 1m: 0s } }", ['1:29: 1m "0s": must be longer than zero (write one such as 500ms or 5m)']],
];
