// How urgent an alert is; most urgent first.

export const severities = ["critical", "warning", "info"] as const;
export type Severity = (typeof severities)[number];
