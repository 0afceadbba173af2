import { expect, test } from "vitest";
import { isSecret, masked } from "./secrets";

test("what is secret is known by its schema or its name", () => {
  expect(["password", "db_password", "apiKey", "api_key", "auth-token", "dbPassword"].map((name) => isSecret(name))).toEqual([true, true, true, true, true, true]);
  expect(["tokens", "max_tokens", "secretary", "title"].map((name) => isSecret(name))).toEqual([false, false, false, false]);
  expect([isSecret("pin", { format: "password" }), isSecret("pin", { writeOnly: true })]).toEqual([true, true]);
});

test("secrets are masked at any depth, whatever they are, and nothing else", () => {
  const given = { a: 1, rows: [{ token: "t", note: "n" }], password: "", pin: { secret: 3 }, credentials: { user: "u" }, accessToken: ["a"], token: false };
  expect(masked(given)).toEqual({
    a: 1,
    rows: [{ token: "••••••", note: "n" }],
    password: "",
    pin: { secret: "••••••" },
    credentials: "••••••",
    accessToken: "••••••",
    token: false,
  });
});
