// Payloads of real devices, as their projects document them, and what each must become.

import { describe, expect, it } from "vitest";
import { codecs } from "../../../src/broker/codecs/index.ts";
import { zoneTable } from "../../../src/zone.ts";

type Expected = [metric: string | null, value: number, ts: string | null] | string;
type Case = { from: string; codec: "json" | "plain"; settings?: Record<string, unknown>; metric?: string; payload: string; expected: Expected[] };

const at = Date.parse("2026-11-22T12:00:00Z");

const cases: Case[] = [
  {
    from: "the usual one",
    codec: "json",
    metric: "temperature",
    payload: '{"ts": 1763800000000, "value": 21.4}',
    expected: [[null, 21.4, "2025-11-22T08:26:40Z"]],
  },
  { from: "without time", codec: "json", metric: "temperature", payload: '{"value": 21.4}', expected: [[null, 21.4, null]] },
  { from: "a bare number", codec: "json", payload: "21.4", expected: [[null, 21.4, null]] },
  { from: "a bare boolean", codec: "json", payload: "true", expected: [[null, 1, null]] },
  { from: "with a byte order mark", codec: "json", payload: '\ufeff{"value":1}', metric: "x", expected: [[null, 1, null]] },
  {
    from: "Tasmota",
    codec: "json",
    settings: { time: "/Time", values: { temperature: "/DS18B20/Temperature" }, timezone: "Europe/Oslo" },
    payload: '{"Time":"2017-02-16T10:13:52","DS18B20":{"Temperature":20.6},"TempUnit":"C"}',
    expected: [["temperature", 20.6, "2017-02-16T09:13:52Z"]],
  },
  {
    from: "Tasmota without settings but the time",
    codec: "json",
    settings: { time: "/Time" },
    metric: "SENSOR",
    payload: '{"Time":"2017-02-16T10:13:52","DS18B20":{"Temperature":20.6}}',
    expected: ["bad_time"],
  },
  {
    from: "Tasmota on several channels",
    codec: "json",
    settings: { values: { power: "/ENERGY/Power/1" } },
    payload: '{"ENERGY":{"Power":[12,30.5]}}',
    expected: [["power", 30.5, null]],
  },
  { from: "Tasmota's relay", codec: "plain", payload: "ON", expected: [[null, 1, null]] },
  {
    from: "Zigbee2MQTT, several under the topic's metric",
    codec: "json",
    metric: "climate",
    payload: '{"temperature":27.34,"humidity":44.72,"action":"","update":{"state":"idle"}}',
    expected: [
      ["climate.temperature", 27.34, null],
      ["climate.humidity", 44.72, null],
    ],
  },
  {
    from: "Zigbee2MQTT, no metric in the topic",
    codec: "json",
    payload: '{"temperature":27.34,"contact":false}',
    expected: [
      ["temperature", 27.34, null],
      ["contact", 0, null],
    ],
  },
  { from: "Zigbee2MQTT, a lone one", codec: "json", metric: "temperature", payload: '{"t":27.34}', expected: [[null, 27.34, null]] },
  { from: "Zigbee2MQTT availability", codec: "json", payload: '{"state":"online"}', expected: ["undecodable"] },
  {
    from: "Zigbee2MQTT availability, mapped",
    codec: "json",
    settings: { value: "/state", map: { online: 1, offline: 0 } },
    payload: '{"state":"online"}',
    expected: [[null, 1, null]],
  },
  { from: "Shelly Gen1", codec: "plain", payload: "21.50", expected: [[null, 21.5, null]] },
  { from: "Shelly Gen1 relay", codec: "plain", payload: "off", expected: [[null, 0, null]] },
  {
    from: "Shelly Gen2",
    codec: "json",
    settings: { time: "/params/ts", values: { temperature: "/params/temperature:0/tC", humidity: "/params/humidity:0/rh" } },
    payload:
      '{"src":"shellyplusht-b8d61a8b17cc","dst":"x/events","method":"NotifyFullStatus","params":{"ts":1680962879.62,"temperature:0":{"id":0,"tC":19.8,"tF":67.6},"humidity:0":{"id":0,"rh":42.2}}}',
    expected: [
      ["temperature", 19.8, "2023-04-08T14:07:59.620Z"],
      ["humidity", 42.2, "2023-04-08T14:07:59.620Z"],
    ],
  },
  {
    from: "Shelly Gen2, probe fault, and a delta without humidity",
    codec: "json",
    settings: { time: "/params/ts", values: { temperature: "/params/temperature:0/tC", humidity: "/params/humidity:0/rh" } },
    payload: '{"params":{"ts":1680962879.62,"temperature:0":{"id":0,"tC":null}}}',
    expected: ["bad_quality"],
  },
  { from: "ESPHome", codec: "plain", payload: "21.4", expected: [[null, 21.4, null]] },
  { from: "ESPHome, bad sensor", codec: "plain", payload: "nan", expected: ["bad_quality"] },
  { from: "ESPHome, bad sensor, as none", codec: "plain", payload: "None", expected: ["bad_quality"] },
  { from: "Homie", codec: "plain", payload: "21.5", expected: [[null, 21.5, null]] },
  {
    from: "ChirpStack",
    codec: "json",
    settings: { time: "/time", values: { temperature: "/object/temperature" } },
    payload:
      '{"deduplicationId":"x","time":"2026-09-28T08:00:00Z","deviceInfo":{"devEui":"0102030405060708"},"fCnt":10,"object":{"temperature":21.5},"rxInfo":[{"rssi":-57}]}',
    expected: [["temperature", 21.5, "2026-09-28T08:00:00Z"]],
  },
  {
    from: "The Things Stack",
    codec: "json",
    settings: { time: "/received_at", values: { temperature: "/uplink_message/decoded_payload/temperature" } },
    payload: '{"end_device_ids":{"device_id":"dev1"},"received_at":"2020-02-12T15:15:45.123456789Z","uplink_message":{"decoded_payload":{"temperature":1.0}}}',
    expected: [["temperature", 1, "2020-02-12T15:15:45.123Z"]],
  },
  {
    from: "ThingPark",
    codec: "json",
    settings: { time: "/DevEUI_uplink/Time", value: "/DevEUI_uplink/points/temperature/record" },
    payload: '{"DevEUI_uplink":{"Time":"2024-12-17T09:16:55.911+00:00","points":{"temperature":{"unitId":"Cel","record":24}}}}',
    expected: [[null, 24, "2024-12-17T09:16:55.911Z"]],
  },
  {
    from: "SensorThings",
    codec: "json",
    settings: { time: "/phenomenonTime", value: "/result" },
    payload: '{"result":21.5,"phenomenonTime":"2026-11-22T10:00:00Z"}',
    expected: [[null, 21.5, "2026-11-22T10:00:00Z"]],
  },
  {
    from: "ThingsBoard",
    codec: "json",
    settings: { values: { temperature: "/values/temperature", humidity: "/values/humidity" } },
    payload: '{"ts":1451649600512,"values":{"temperature":22.5,"humidity":61}}',
    expected: [
      ["temperature", 22.5, "2016-01-01T12:00:00.512Z"],
      ["humidity", 61, "2016-01-01T12:00:00.512Z"],
    ],
  },
  { from: "AWS shadow", codec: "json", payload: '{"state":{"reported":{"temperature":21.5}}}', expected: [["state.reported.temperature", 21.5, null]] },
  { from: "comma decimals", codec: "plain", payload: "21,5", expected: [[null, 21.5, null]] },
  { from: "unit after a space", codec: "plain", payload: "21.5 °C", expected: [[null, 21.5, null]] },
  { from: "unit glued on", codec: "plain", payload: "-4,25°C", expected: [[null, -4.25, null]] },
  { from: "per cent", codec: "plain", payload: "44%", expected: [[null, 44, null]] },
  { from: "a unit with digits", codec: "plain", payload: "3.2 m3/h", expected: [[null, 3.2, null]] },
  { from: "true", codec: "plain", payload: "true", expected: [[null, 1, null]] },
  { from: "a mapped word", codec: "plain", settings: { map: { open: 1, closed: 0, ON: 7 } }, payload: "closed", expected: [[null, 0, null]] },
  { from: "a mapped word before the usual one", codec: "plain", settings: { map: { ON: 7 } }, payload: "ON", expected: [[null, 7, null]] },
  { from: "new line at the end", codec: "plain", payload: "21.5\r\n", expected: [[null, 21.5, null]] },
  { from: "scientific", codec: "plain", payload: "1.2e-3", expected: [[null, 0.0012, null]] },
  { from: "beyond a double", codec: "plain", payload: "1e999", expected: ["bad_quality"] },
  { from: "unavailable", codec: "plain", payload: "unavailable", expected: ["bad_quality"] },
  { from: "two numbers", codec: "plain", payload: "21.5 22.5", expected: ["undecodable"] },
  { from: "thousands and decimals", codec: "plain", payload: "1,234.5", expected: ["undecodable"] },
  { from: "hexadecimal", codec: "plain", payload: "0x1F", expected: ["undecodable"] },
  { from: "a time of day", codec: "plain", payload: "12:30", expected: ["undecodable"] },
  { from: "a date", codec: "plain", payload: "2024-12-17", expected: ["undecodable"] },
  { from: "last will", codec: "plain", payload: "offline", expected: ["undecodable"] },
  { from: "JSON to plain", codec: "plain", payload: '{"value":1}', expected: ["undecodable"] },
  { from: "nothing", codec: "plain", payload: "", expected: [] },
  { from: "Python's NaN", codec: "json", metric: "t", payload: '{"ts":1763800000000,"value":NaN,"note":"NaN is \\"NaN\\""}', expected: ["bad_quality"] },
  { from: "Python's None", codec: "json", metric: "t", payload: '{"value": None}', expected: ["bad_quality"] },
  { from: "null", codec: "json", metric: "t", payload: '{"ts":1763800000000,"value":null}', expected: ["bad_quality"] },
  { from: "a word for it", codec: "json", metric: "t", settings: { value: "/value" }, payload: '{"value":"unavailable"}', expected: ["bad_quality"] },
  { from: "beyond a double in JSON", codec: "json", metric: "t", payload: '{"value":1e999}', expected: ["bad_quality"] },
  { from: "a number as text", codec: "json", settings: { value: "/value" }, payload: '{"value":"21,5"}', expected: [[null, 21.5, null]] },
  { from: "mapped true", codec: "json", settings: { value: "/on", map: { true: 100 } }, payload: '{"on":true}', expected: [[null, 100, null]] },
  { from: "nothing there", codec: "json", settings: { value: "/value" }, payload: '{"val":1}', expected: ["undecodable"] },
  { from: "an object there", codec: "json", settings: { value: "/value" }, payload: '{"value":{"x":1}}', expected: ["undecodable"] },
  { from: "inherited", codec: "json", settings: { value: "/constructor" }, payload: '{"x":1}', expected: ["undecodable"] },
  { from: "an own __proto__", codec: "json", settings: { value: "/__proto__" }, payload: '{"__proto__":5}', expected: [[null, 5, null]] },
  { from: "a slash in a key", codec: "json", settings: { value: "/a~1b/~0c" }, payload: '{"a/b":{"~c":5}}', expected: [[null, 5, null]] },
  {
    from: "time by its second name",
    codec: "json",
    metric: "t",
    payload: '{"timestamp":"2026-09-28T08:00:00+02:00","value":1}',
    expected: [[null, 1, "2026-09-28T06:00:00Z"]],
  },
  {
    from: "the first time wins",
    codec: "json",
    metric: "t",
    payload: '{"time":1763800000,"ts":1763800001,"v":1}',
    expected: [
      ["t.time", 1763800000, "2025-11-22T08:26:41Z"],
      ["t.v", 1, "2025-11-22T08:26:41Z"],
    ],
  },
  { from: "time unknown to the device", codec: "json", metric: "t", payload: '{"ts":null,"value":1}', expected: [[null, 1, null]] },
  { from: "time that is none", codec: "json", metric: "t", payload: '{"ts":"soon","value":1}', expected: ["bad_time"] },
  {
    from: "a batch, in order of time",
    codec: "json",
    metric: "t",
    payload: '[{"ts":1763800002000,"value":3},{"ts":1763800000000,"value":1},{"ts":1763800001000,"value":2},{"ts":1763800001000,"value":null}]',
    expected: [[null, 1, "2025-11-22T08:26:40Z"], [null, 2, "2025-11-22T08:26:41Z"], [null, 3, "2025-11-22T08:26:42Z"], "bad_quality"],
  },
  {
    from: "a batch of bare numbers",
    codec: "json",
    metric: "t",
    payload: "[3,1,2]",
    expected: [
      [null, 3, null],
      [null, 1, null],
      [null, 2, null],
    ],
  },
  { from: "a batch of nothing", codec: "json", payload: "[]", expected: ["undecodable"] },
  { from: "not JSON", codec: "json", payload: "temperature=21", expected: ["undecodable"] },
  { from: "cut off", codec: "json", payload: '{"ts":1763800000000,"val', expected: ["undecodable"] },
  { from: "null among numbers keeps the names", codec: "json", metric: "m", payload: '{"a":1,"b":null}', expected: [["m.a", 1, null], "bad_quality"] },
];

describe("payloads of devices", () => {
  it.each(cases.map((one): [string, string, Case] => [one.codec, one.from, one]))("%s: %s", (_codec, _from, one) => {
    const codec = codecs.find(({ name }) => name === one.codec);
    if (codec === undefined) throw new Error(one.codec);
    const settings = codec.schema.parse(one.settings ?? {}) as { timezone?: string };
    const decode = codec.open(settings, settings.timezone === undefined ? undefined : zoneTable(settings.timezone));
    const decoded = decode(Buffer.from(one.payload), "a/topic", { at, ...(one.metric !== undefined && { metric: one.metric }) });
    const readings = decoded.readings.map(({ metric, ts, value }) => [metric ?? null, value, ts ?? null]);
    expect(readings).toEqual(
      one.expected.filter((entry) => typeof entry !== "string").map(([metric, value, ts]) => [metric, value, ts === null ? null : Date.parse(ts)]),
    );
    expect(decoded.rejected.map(({ reason }) => reason)).toEqual(one.expected.filter((entry) => typeof entry === "string"));
  });
});

describe("limits of json", () => {
  const json = codecs.find(({ name }) => name === "json");
  const decode = json?.open(json.schema.parse({}), undefined, { depth: 3, values_per_message: 3 });
  it.each([
    ['{"a":{"b":{"c":1}}}', [], 1],
    ['{"a":{"b":{"c":{"d":1}}}}', ["undecodable"], 0],
    ['{"a":1,"b":2,"c":3}', [], 3],
    ['{"a":1,"b":2,"c":3,"d":4}', ["too_many_values"], 0],
    ["[1,2,3]", [], 3],
    ["[1,2,3,4]", ["too_many_values"], 0],
    ['[{"a":1,"b":2},{"a":1,"b":2}]', ["too_many_values"], 0],
    [`{"${"k".repeat(300)}":1}`, ["undecodable"], 0],
  ])("%s", (payload, reasons, count) => {
    const decoded = decode?.(Buffer.from(payload), "t", { at });
    expect(decoded?.rejected.map(({ reason }) => reason)).toEqual(reasons);
    expect(decoded?.readings.length).toBe(count);
  });
});

describe("settings of json", () => {
  const schema = codecs.find(({ name }) => name === "json")?.schema;
  it.each([
    [{ value: "/a", values: { x: "/b" } }, /not both/],
    [{ values: {} }, /names no metric/],
    [{ value: "a" }, /begins with \//],
    [{ time: "/a/~2" }, /begins with \//],
    [{ map: { ON: "1" } }, /number/],
  ])("%j", (settings, message) => {
    expect(
      schema
        ?.safeParse(settings)
        .error?.issues.map((issue) => issue.message)
        .join(),
    ).toMatch(message);
  });
});
