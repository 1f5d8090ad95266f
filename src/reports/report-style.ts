// The style of a printed report: one sheet for screens, phones and A4. It stands in the page; nothing is fetched. Always dark on white, as it
// will be on paper.

export const reportStyle = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: #f3f4f5; color: #1c2730; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; overflow-wrap: anywhere; }
main { max-width: 900px; margin: 24px auto; padding: 40px 48px; background: #fff; border: 1px solid #dfe3e6; border-radius: 8px; }
h1 { margin: 0; font-size: 28px; line-height: 1.2; }
h2 { margin: 36px 0 10px; font-size: 19px; line-height: 1.3; break-after: avoid; }
h3 { margin: 22px 0 6px; font-size: 15px; break-after: avoid; }
p { margin: 0 0 8px; }
.period { margin: 4px 0 18px; font-size: 18px; color: #45535e; }
.unit, .dim { color: #5a6872; font-weight: normal; }
dl { margin: 0; display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; }
dt { color: #5a6872; }
dd { margin: 0; }
.verdict { margin: 20px 0 0; padding: 12px 16px; border-left: 4px solid #13744a; background: #f0f7f3; }
.verdict.bad { border-color: #a3200d; background: #fcf1ef; }
.notice { margin: 12px 0 0; padding: 12px 16px; border-left: 4px solid #b25e09; background: #fdf5ea; }
.notice p:last-child, .verdict p:last-child { margin: 0; }
.figures { grid-template-columns: repeat(6, 1fr); gap: 10px 12px; margin: 0 0 12px; break-inside: avoid; }
.figures div { min-width: 0; }
.figures dt { font-size: 13px; }
.figures dd { font-size: 18px; font-variant-numeric: tabular-nums; }
.figures dd small { display: block; font-size: 12px; color: #5a6872; }
figure { margin: 0; break-inside: avoid; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { font-size: 12px; color: #5a6872; }
.scroll { overflow-x: auto; margin: 0 0 8px; }
table { width: 100%; border-collapse: collapse; font-size: 13px; line-height: 1.4; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th { padding: 4px 8px 4px 0; text-align: left; font-weight: 600; white-space: nowrap; border-bottom: 2px solid #c9d2d8; }
td { padding: 4px 8px 4px 0; vertical-align: top; border-bottom: 1px solid #e3e8eb; }
th:last-child, td:last-child { padding-right: 0; }
.num { text-align: right; white-space: nowrap; }
.time { white-space: nowrap; }
.state { padding-left: 12px; }
.alert td { border-bottom: 0; }
.alert td:first-child { font-weight: 600; }
.acts td { padding: 0 0 8px 16px; overflow-wrap: anywhere; }
.acts p { margin: 0; }
.alert { break-after: avoid; }
.bad { font-weight: 600; color: #a3200d; }
tr { break-inside: avoid; }
thead { display: table-header-group; }
footer { margin: 40px 0 0; padding: 16px 0 0; border-top: 1px solid #c9d2d8; font-size: 12px; color: #45535e; }
code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 11px; overflow-wrap: anywhere; }
@media (max-width: 600px) {
  main { margin: 0; padding: 20px 16px; border: 0; border-radius: 0; }
  h1 { font-size: 24px; }
  .figures { grid-template-columns: repeat(2, 1fr); }
  figure svg { min-width: 560px; }
}
@page { size: A4; margin: 15mm 14mm; }
@media print {
  body { background: #fff; font-size: 10.5pt; }
  main { max-width: none; margin: 0; padding: 0; border: 0; }
  .scroll { overflow: visible; }
  table { font-size: 8.5pt; }
  .verdict, .notice, figure svg { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;
