#!/usr/bin/env node
// The command: checks the Node version in words that an old Node still parses, then hands over.
// In a clone it runs src/main.ts as it is; in a package, where types cannot be stripped, dist/main.js.
// No node: prefix, no ?. or ??, no top-level await: this file must load on Node 12.

import { existsSync } from "fs";
import { fileURLToPath } from "url";

const MAJOR_MIN = 22;
const MINOR_MIN = 18;

// What a gateway asks of V8 and of the C library's memory, which can only be said before a process starts; why: docs/adr/0009.
const FLAGS = ["--max-semi-space-size=16", "--heap-growing-percent=20", "--no-allocation-site-pretenuring", "--expose-gc"];
const ENVIRONMENT = { MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "131072" };

const parts = process.versions.node.split(".");
const major = Number(parts[0]);
const minor = Number(parts[1]);

function isGateway() {
  return process.argv.indexOf("run") === 2;
}

// Replaces this process by itself with those settings: it stays one process, with the same id. Where that cannot be done (Windows), it
// runs all the same and takes more memory.
function becomeGateway() {
  const args = [process.execPath].concat(FLAGS, process.execArgv, [fileURLToPath(import.meta.url)], process.argv.slice(2));
  process.execve(process.execPath, args, Object.assign({}, ENVIRONMENT, process.env));
}

if (major < MAJOR_MIN || (major === MAJOR_MIN && minor < MINOR_MIN)) {
  console.error("highwater needs Node " + MAJOR_MIN + "." + MINOR_MIN + " or newer, and this is Node " + process.versions.node + "; it is shipped on Node 24.");
  process.exitCode = 2;
} else {
  if (isGateway() && process.execve !== undefined && process.execArgv.indexOf(FLAGS[0]) === -1) becomeGateway();
  const source = new URL("../src/main.ts", import.meta.url);
  void import(existsSync(source) ? source.href : new URL("../dist/main.js", import.meta.url).href);
}
