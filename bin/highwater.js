#!/usr/bin/env node
// The command: checks the Node version in words that an old Node still parses, then hands over.
// In a clone it runs src/main.ts as it is; in a package, where types cannot be stripped, dist/main.js.
// No node: prefix, no ?. or ??, no top-level await: this file must load on Node 12.

import { existsSync } from "fs";
import { fileURLToPath } from "url";

const MAJOR_MIN = 22;
const MINOR_MIN = 18;

// What the gateway asks of V8 and of the C library, which can only be said before a process starts: docs/adr/0009-room-is-bounded.md. V8's
// flags come and go, and Node refuses to start with one that it does not know: they are given to the Node that they were measured on.
const TUNED_MAJOR = 24;
const FLAGS = ["--scavenger-max-new-space-capacity-mb=16", "--min-semi-space-size=4", "--heap-growing-percent=10", "--expose-gc"];
const ENVIRONMENT = { MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "131072" };

const parts = process.versions.node.split(".");
const major = Number(parts[0]);
const minor = Number(parts[1]);

// The process is replaced by itself with those settings and keeps its id. Where that cannot be done (Windows, another Node, a parent that
// talks to it over a channel) the gateway runs all the same, and takes more memory.
function startTuned() {
  const isGateway = process.argv[2] === "run";
  if (!isGateway || major !== TUNED_MAJOR || process.send !== undefined || process.execArgv.indexOf(FLAGS[0]) >= 0) return;
  const args = [process.execPath].concat(FLAGS, process.execArgv, [fileURLToPath(import.meta.url)], process.argv.slice(2));
  try {
    process.execve(process.execPath, args, Object.assign({}, ENVIRONMENT, process.env));
  } catch (error) {
    if (error.code !== "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM" && error.code !== "ERR_ACCESS_DENIED") throw error;
  }
}

if (major < MAJOR_MIN || (major === MAJOR_MIN && minor < MINOR_MIN)) {
  console.error("highwater needs Node " + MAJOR_MIN + "." + MINOR_MIN + " or newer, and this is Node " + process.versions.node + "; it is shipped on Node 24.");
  process.exitCode = 2;
} else {
  startTuned();
  const source = new URL("../src/main.ts", import.meta.url);
  void import(existsSync(source) ? source.href : new URL("../dist/main.js", import.meta.url).href);
}
