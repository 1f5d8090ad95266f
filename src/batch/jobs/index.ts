// The open list of batch jobs. One line per job. A thread that runs one loads that one alone: all of them together would take more than most
// of them work with.

export const jobs = {
  compaction: async () => (await import("./compaction.ts")).runCompaction,
  "daily-summary": async () => (await import("./daily-summary.ts")).runDailySummary,
  "rebuild-rollups": async () => (await import("./rebuild-rollups.ts")).runRebuildRollups,
  retention: async () => (await import("./retention.ts")).runRetention,
} as const;
