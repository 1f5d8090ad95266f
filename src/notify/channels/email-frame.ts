// The page around every mail of alerts: a card that is as wide as a phone, light or dark as the reader has it. Tables and inline
// styles, because mail clients know little else; no image, no script, nothing fetched. The rows of the card are Liquid.

/** Of a mail's head and its figures: of the worst that still fires, or of what is over. */
export const colours = {
  critical: { solid: "#c0271d", soft: "#fdeceb", dark: "#ff8a80" },
  warning: { solid: "#b25e09", soft: "#fdf1e1", dark: "#ffb95c" },
  info: { solid: "#1f62c4", soft: "#e8f0fc", dark: "#8ab8ff" },
  resolved: { solid: "#13744a", soft: "#e4f5ec", dark: "#6fd6a2" },
} as const;
export type Colour = (typeof colours)[keyof typeof colours];

const FONT = `-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif`;
export const HEADING = "margin:0 0 8px;font-size:12px;line-height:16px;font-weight:600;letter-spacing:.06em;text-transform:uppercase;color:#6b6f76;";
/** Between the parts of the card. */
export const RULE = "border-top:1px solid #e6e6e3;";

/** @param rows of the card's table, in a context with `headline`, `summary` and `colour` */
export const page = (rows: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{{ headline }}</title>
<style>
  a { color: #1f62c4; }
  @media (max-width: 480px) {
    .page { padding: 0 !important; }
    .card { border-radius: 0 !important; border-left: 0 !important; border-right: 0 !important; }
    .pad { padding-left: 20px !important; padding-right: 20px !important; }
    .figure { font-size: 40px !important; line-height: 46px !important; }
    .name { width: 92px !important; }
  }
  @media (prefers-color-scheme: dark) {
    .page, body { background: #111315 !important; }
    .card { background: #1b1e21 !important; border-color: #2c3034 !important; }
    .head { background: #1b1e21 !important; }
    .line { border-color: #2c3034 !important; }
    .ink { color: #eceef0 !important; }
    .dim { color: #a2a8af !important; }
    .tint { color: {{ colour.dark }} !important; }
    .chip { background: #282c30 !important; color: #d5d9dd !important; }
    a { color: #8ab8ff; }
    .button { color: #ffffff !important; }
  }
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f3f3f1;">
<div style="display:none;max-height:0;overflow:hidden;opacity:0;">{{ summary }}</div>
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" style="background:#f3f3f1;padding:32px 16px;">
<tr><td align="center">
<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" style="max-width:600px;background:#ffffff;border:1px solid #e2e2df;border-radius:12px;border-collapse:separate;overflow:hidden;font-family:${FONT};text-align:left;">
<tr><td style="height:6px;background:{{ colour.solid }};font-size:0;line-height:0;">&nbsp;</td></tr>
${rows}</table>
</td></tr>
</table>
</body>
</html>
`;
