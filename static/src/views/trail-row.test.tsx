// @vitest-environment happy-dom
import { render, screen } from "@testing-library/preact";
import { expect, test } from "vitest";
import type { TrailEntry } from "../client/account";
import { TrailRow } from "./trail-row";

test("the runs of an owner are no link to a bulk action of another tenant, which its readers may not read", () => {
  const entry = {
    ...{ id: "1", at: "2026-11-30T10:00:00Z", last_at: null, number: 2, refused: 0, outcome: "ok", note: "", title: "" },
    ...{ action: "bulk_cancel", kind: "task", target: "b", bulk_id: "b", tenant: "acme", address: null, key_id: null, key_name: null },
    ...{ user_id: "eve", user_name: "eve@example.org", owner_id: "ann", owner: "ann@example.org" },
  } satisfies TrailEntry;

  const { rerender } = render(<TrailRow entry={entry} mine={false} only={() => {}} />);
  expect(screen.getByText("2 runs").tagName).toBe("STRONG");
  expect(screen.getByText("of ann@example.org")).toBeTruthy();
  expect(screen.queryByRole("link")).toBeNull();

  rerender(<TrailRow entry={{ ...entry, tenant: null }} mine={false} only={() => {}} />);
  expect(screen.getByRole("link", { name: "2 runs" }).getAttribute("href")).toContain("b");
});
