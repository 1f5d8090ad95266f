// Users in Mosquitto's password file format. The lines with hashes were written by mosquitto_passwd 2.0.

import { describe, expect, it } from "vitest";
import { isPassword, nameFlaw, parsePasswordFile, passwordLine, withoutUser, withUser } from "../../src/broker/password-file.ts";

const HORSE = "sensor-1:$7$101$K7/+hgIfdZomTGtV$1ykDuIDnGOk62kLUT081xyw6oh/DCsLwWOaOPYxBqc6kWfpqsBQbAvqow1QOruRmtrA7ikS3pWWHg6JEbPYjwQ==";
const UMLAUT = "fz-7:$7$101$Iim1UJSyYPeuG/82$L77t0cTuKYlecGp2fZ6NW1LwtItKFJI4BSvHWEjG6Mpur8ibW1tPRgARukhfEoyyzVu+eLahCLa3sI/0QrVLyg==";
const OLD = "old:$6$xgUjeKWhB2aqld+a$dQC0egZ+fBHsGTcT36uzDzFyYen9VHkU/wejBy01G8eIrQGnF5i49T8D6/rLFZBLEHlBF3S05XIiIZCHP6HfGw==";
const bytes = (text: string) => Buffer.from(text);
const readable = (text: string) => {
  const { users, flaws } = parsePasswordFile(text);
  expect(flaws).toEqual([]);
  return users;
};

describe("a password file of Mosquitto's", () => {
  it("is read as it is, with comments, empty lines and Windows line ends", async () => {
    const users = readable(`# freezers\r\n\r\n${HORSE}\r\n${UMLAUT}`);
    expect([...users.keys()]).toEqual(["sensor-1", "fz-7"]);
    expect(await isPassword(users.get("sensor-1"), bytes("correct horse"))).toBe(true);
    expect(await isPassword(users.get("fz-7"), bytes("ümlaut:$"))).toBe(true);
    for (const wrong of ["correct horsf", "", "correct horse "]) expect(await isPassword(users.get("sensor-1"), bytes(wrong))).toBe(false);
    expect(await isPassword(undefined, bytes(""))).toBe(false);
  });

  it("may have passwords hashed by SHA-512 alone, as before Mosquitto 2", async () => {
    expect(await isPassword(readable(OLD).get("old"), bytes("secret"))).toBe(true);
    expect(await isPassword(readable(OLD).get("old"), bytes("Secret"))).toBe(false);
  });

  it("has a last word on a name that stands twice", async () => {
    const users = readable(`${HORSE}\n${await passwordLine("sensor-1", "new")}`);
    expect([users.size, await isPassword(users.get("sensor-1"), bytes("new"))]).toEqual([1, true]);
  });

  it("gets lines of the same form from us, each with a salt of its own", async () => {
    const line = await passwordLine("pump", "pässword");
    expect(line).toMatch(/^pump:\$7\$10000\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$/);
    expect(await isPassword(readable(line).get("pump"), bytes("pässword"))).toBe(true);
    expect(await passwordLine("pump", "pässword")).not.toBe(line);
  });

  it.each([
    ["plain", "sensor:secret", { line: 1, column: 8, message: "the password is not hashed" }],
    ["no colon", "# a\nsensor", { line: 2, column: 1, message: "not a user: a line is NAME:HASH" }],
    ["no name", ":$7$101$aaaa$bbbb", { line: 1, column: 1, message: "not a user: a line is NAME:HASH" }],
    ["cut", "a:$7$101$K7/+hgIf$1ykDuIDn", { line: 1, column: 3, message: "the hash is cut: 64 bytes in base64 belong there" }],
    ["another hash", "a:$argon2id$v=19$m=1,t=1,p=1$a$b", { line: 1, column: 3, message: "argon2id is not known here: PBKDF2 ($7$) and SHA-512 ($6$) are" }],
    ["too much work", "a:$7$99999999$a$b", { line: 1, column: 3, message: "99999999 is no number of iterations from 1 to 1000000" }],
    ["bcrypt", "a:$2b$10$abcdefg", { line: 1, column: 3, message: "not a hash of Mosquitto's: those begin with $7$ or $6$" }],
  ])("with a line that cannot be read says where: %s", (_what, text, flaw) => {
    const { users, flaws } = parsePasswordFile(text);
    expect(users.size).toBe(0);
    expect(flaws).toEqual([{ ...flaw, hint: expect.stringContaining("mosquitto_passwd") as string }]);
  });
});

describe("a change of the file", () => {
  const text = "# freezers\nfz-7:a\nfz-70:b\n\npump:c\n";

  it("puts a line in the place of the user's, or behind all others, and leaves the rest", () => {
    expect(withUser(text, "fz-7:new")).toBe("# freezers\nfz-7:new\nfz-70:b\n\npump:c\n");
    expect(withUser(text, "fz:new")).toBe(`${text}fz:new\n`);
    expect(withUser("", "fz:new")).toBe("fz:new\n");
    expect(withUser("a:b", "fz:new")).toBe("a:b\nfz:new\n");
  });

  it("takes a user out, wherever it stands", () => {
    expect(withoutUser(text, "fz-7")).toBe("# freezers\nfz-70:b\n\npump:c\n");
    expect(withoutUser("a:1\nb:2\na:3\n", "a")).toBe("b:2\n");
    expect(withoutUser(text, "fz")).toBeUndefined();
  });
});

it.each([
  ["fz-7", undefined],
  ["a b/ü", undefined],
  ["", "a name has 1 to 255 characters"],
  ["a:b", "a name holds no colon and no control characters"],
  ["a\nb", "a name holds no colon and no control characters"],
  ["#a", "a line that begins with # is a comment"],
])("the name %j: %s", (name, flaw) => {
  expect(nameFlaw(name)).toBe(flaw);
});
