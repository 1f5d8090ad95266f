// The page: nothing that a name or a note holds becomes markup, every state is said in words, and what does not fit is counted.

import { describe, expect, it } from "vitest";
import { escapeMarkup, html } from "../../src/reports/markup.ts";
import { reportHtml } from "../../src/reports/report-html.ts";
import { EVIL, report } from "./report-fixture.ts";

const page = reportHtml(report, "c0ffee");
/** Without markup. */
const text = page
  .replace(/<style>.*?<\/style>/s, "")
  .replace(/<[^>]+>/g, " ")
  .replace(/\s+/g, " ");

describe("html", () => {
  it("escapes what is put into it, and nothing that is markup already", () => {
    expect(html`<p title="${`"&'`}">${html`<b>${"<"}</b>`}${[1, html`<i>`]}${null}${false}</p>`.text).toBe('<p title="&quot;&amp;&#39;"><b>&lt;</b>1<i></p>');
  });

  it("lets no mark turn the direction of text", () => {
    expect(escapeMarkup("a\u202eb\u2066c\x00d\ne")).toBe("a b c d\ne");
  });
});

describe("reportHtml", () => {
  it("lets no name or note become markup, wherever it stands", () => {
    expect(page).not.toContain("<img");
    expect(page).not.toMatch(/onerror=alert\(1\)>/);
    // Device in title, heading and label; series, rule, who acknowledged and the note.
    expect(page.split("&lt;img src=x onerror=alert(1)&gt;&amp;&quot;&#39;/").length - 1).toBeGreaterThan(8);
    expect(page).not.toContain("\u202e");
    expect(page).not.toMatch(/<script|style="| on\w+="/);
  });

  it("needs nothing from elsewhere", () => {
    expect(page.replaceAll("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|url\(|@import|<link/);
    const tags = page.replace(/"[^"]*"/g, '""').match(/<[^>]+>/g) ?? [];
    expect(tags.filter((tag) => /\s(src|href|srcset|action)=/.test(tag))).toEqual([]);
  });

  it("says first what is asked first", () => {
    expect(text).toContain("3 alerts stood in this time, 1 still stands; 2 not acknowledged.");
    expect(reportHtml({ ...report, excursions: [], series: [] }, "")).toContain("No alert stood in this time. No reading of this device is known.");
  });

  it("says what keeps the figures from being final or whole", () => {
    expect(text).toContain(
      "Not summarised yet: 2026-10-27. The figures leave these days out; the batch of the night knows what arrived until 2026-10-27 04:00:00.",
    );
    expect(text).toContain("Approximate, as readings were no longer whole: 2026-10-24.");
    expect(text).toContain("they will be made anew: 2026-10-25.");
    expect(text).toMatch(/2026-10-26 (– ){7}no reading/);
    const more = reportHtml({ ...report, excursionsLeftOut: 5, series: report.series.map((each) => ({ ...each, gapsUnlisted: 3 })) }, "");
    expect(more).toContain("6 gaps more than are listed below");
    expect(more).toContain("5 alerts more than are listed below");
  });

  it("tells of an alert from firing to resolving, and what people did with it", () => {
    expect(text).toContain("2026-10-22 23:00:00 (before these days)");
    expect(text).toMatch(/still firing – −9\.5 °C −15 °C/);
    expect(text).toContain("not acknowledged 2026-10-23 03:00:00 comment by bo: -1+2 second line");
    const [first] = report.excursions;
    const late = first === undefined ? [] : [{ ...first, resolvedAt: report.end + 5, events: [] }];
    const after = reportHtml({ ...report, excursions: late }, "");
    expect(after).toContain("(after these days)");
    // An acknowledgement of which no event is kept is told all the same.
    expect(after).toContain("acknowledged by &lt;img");
  });

  it("says which of two hours it was when clocks went back", () => {
    const twice = Date.UTC(2026, 9, 25, 0, 30);
    const [first] = report.excursions;
    const alerts = first === undefined ? [] : [{ ...first, firedAt: twice, resolvedAt: twice + 3_600_000 }];
    const shown = reportHtml({ ...report, excursions: alerts }, "");
    expect(shown).toContain("2026-10-25 02:30:00 UTC+02:00");
    expect(shown).toContain("2026-10-25 02:30:00 UTC+01:00");
  });

  it("carries the checksum, the zone, the gateway and when it was made", () => {
    expect(text).toContain("SHA-256 of this report as CSV ( format=csv , the whole file): c0ffee");
    expect(text).toContain("local time of Europe/Oslo");
    expect(text).toContain("cold &lt;chain&gt;, Highwater 0.1.0");
    expect(text).toContain("Made Wed 28 Oct 2026 00:00:00 CET");
    expect(EVIL).toContain("\u202e");
  });
});
