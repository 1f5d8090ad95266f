// What `highwater rebuild` can rebuild: a derived table, with what it takes of the command line.

import type { GatewayConfig } from "../config.ts";

export type RebuildOptions = {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly byEventTime?: true;
  readonly dryRun?: true;
  readonly json?: true;
};

export type RebuildTarget = {
  /** Before the config is read. @returns what is wrong */
  check(options: RebuildOptions): string | undefined;
  run(config: GatewayConfig, options: RebuildOptions): Promise<{ readonly text: string; readonly isWhole: boolean }>;
};
