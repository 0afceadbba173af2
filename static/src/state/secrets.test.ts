import { expect, test } from "vitest";
import { isSecret, masked } from "./secrets";

test("what is secret is known by its schema or its name", () => {
  expect(["password", "db_password", "apiKey", "api_key", "auth-token"].map((name) => isSecret(name))).toEqual([true, true, true, true, true]);
  expect(["tokens", "max_tokens", "secretary", "title"].map((name) => isSecret(name))).toEqual([false, false, false, false]);
  expect([isSecret("pin", { format: "password" }), isSecret("pin", { writeOnly: true })]).toEqual([true, true]);
});

test("secret texts are masked at any depth, and nothing else", () => {
  expect(masked({ a: 1, rows: [{ token: "t", note: "n" }], password: "", count: { secret: 3 } })).toEqual({
    a: 1,
    rows: [{ token: "••••••", note: "n" }],
    password: "",
    count: { secret: 3 },
  });
});
