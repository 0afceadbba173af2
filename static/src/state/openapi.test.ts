import { expect, test } from "vitest";
import { anchorOf, matching, operations, type Document } from "./openapi";

const document: Document & { components: unknown } = {
  info: { title: "T", version: "1" },
  paths: {
    "/things/{id}": {
      parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
      post: {
        tags: ["things"],
        summary: "Changes `it`.",
        security: [{ bearer: ["act"] }],
        requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/Thing" } } } },
        responses: { 202: { $ref: "#/components/responses/Taken" }, default: {} },
      },
    },
  },
  components: {
    schemas: {
      Thing: { required: ["name"], properties: { name: { type: ["string", "null"] }, parts: { type: "array", items: {} } } },
    },
    responses: { Taken: { description: "Taken" } },
  },
};

test("follows references and shows each operation under its tag", () => {
  expect([...operations(document)]).toEqual([
    [
      "things",
      [
        {
          method: "POST",
          path: "/things/{id}",
          text: "Changes it.",
          needs: "A session, or an API key with the scope act.",
          parameters: [{ name: "id", type: "string", required: true, note: "in path" }],
          body: [
            { name: "name", type: "string or null", required: true, note: "" },
            { name: "parts", type: "list of any", required: false, note: "" },
          ],
          answers: [{ status: "202", text: "Taken", fields: [] }],
        },
      ],
    ],
  ]);
});

test("each call has an address of its own, and is found by words of it", () => {
  const [call] = [...operations(document).values()].flat();
  if (!call) throw new Error("no call");
  expect(anchorOf(call)).toBe("post-things-id");
  expect(["", "post", "THINGS", "changes post", " id "].map((q) => matching(call, q))).toEqual(Array(5).fill(true));
  expect(matching(call, "post nothing")).toBe(false);
});
