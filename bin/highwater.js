#!/usr/bin/env node
// The command: checks the Node version in words that an old Node still parses, then hands over.
// In a clone it runs src/main.ts as it is; in a package, where types cannot be stripped, dist/main.js.
// No node: prefix, no ?. or ??, no top-level await: this file must load on Node 12.

import { existsSync } from "fs";

const MAJOR_MIN = 22;
const MINOR_MIN = 18;

const parts = process.versions.node.split(".");
const major = Number(parts[0]);
const minor = Number(parts[1]);

if (major < MAJOR_MIN || (major === MAJOR_MIN && minor < MINOR_MIN)) {
  console.error("highwater needs Node " + MAJOR_MIN + "." + MINOR_MIN + " or newer, and this is Node " + process.versions.node + "; it is shipped on Node 24.");
  process.exitCode = 2;
} else {
  const source = new URL("../src/main.ts", import.meta.url);
  void import(existsSync(source) ? source.href : new URL("../dist/main.js", import.meta.url).href);
}
