// @vitest-environment happy-dom
import { signal } from "@preact/signals";
import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, test } from "vitest";
import { NO_FILTER, type RunFilter } from "../state/filter";
import { StatusFilter } from "./status-filter";

const counts = { PENDING: 0, WAITING: 0, STARTED: 2, RETRY: 0, SUCCESS: 1, FAILURE: 0, REVOKED: 0 };

function links(filter: Partial<RunFilter>, approvals: number): (string | null)[][] {
  const tally = { value: signal(counts), approvals: signal(approvals), complete: signal(true) };
  render(<StatusFilter filter={{ ...NO_FILTER, ...filter }} tally={tally} />);
  return screen.getAllByRole("link").map((link) => [link.textContent, link.getAttribute("href"), link.getAttribute("aria-current")]);
}

afterEach(cleanup);

test("runs that need approval are a choice while there are some, and beside a status", () => {
  expect(links({ status: "STARTED" }, 1)).toEqual([
    ["All 3", "/", null],
    ["needs approval 1", "/?approval=true", null],
    ["running 2", "/", "true"],
    ["succeeded 1", "/?status=SUCCESS", null],
  ]);
});

test("the choice stays where it is chosen and nothing needs approval any more", () => {
  expect(links({ approval: true }, 0)).toEqual([
    ["All 3", "/", null],
    ["needs approval 0", "/", "true"],
    ["running 2", "/?status=STARTED", null],
    ["succeeded 1", "/?status=SUCCESS", null],
  ]);
});

test("where nothing needs approval there is no such choice", () => {
  expect(links({}, 0).map(([text]) => text)).toEqual(["All 3", "running 2", "succeeded 1"]);
});
