// @vitest-environment happy-dom
import { cleanup, render, screen, waitFor } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { address, go } from "../state/address";
import { api } from "../state/app";
import { RunsOfOthers } from "./list-placeholders";

const user = { id: "u", email: "a@example.org", role: "viewer", tenant: "acme" as string | null };
const none = { PENDING: 0, WAITING: 0, STARTED: 0, RETRY: 0, SUCCESS: 0, FAILURE: 0, REVOKED: 0 };
const counts = vi.spyOn(api, "counts");

/** The server has so many runs of others. */
const withRuns = (number: number): void => void counts.mockResolvedValue({ counts: { ...none, STARTED: 1, SUCCESS: number - 1 }, sequence: 1, complete: true });

beforeEach(() => void counts.mockReset());
afterEach(cleanup);

test("who has no runs is told how many the team has, with a link to them", async () => {
  withRuns(613);
  render(<RunsOfOthers user={user} mayStart />);
  expect((await screen.findByRole("link", { name: "613 runs" })).getAttribute("href")).toBe("/?scope=tenant");
  expect(screen.getByText(/Your team has/)).toBeTruthy();
  expect(counts.mock.calls[0]?.[0]).toMatchObject({ scope: "tenant", top: true });
});

test("an admin of all tenants is told of all users", async () => {
  withRuns(2);
  render(<RunsOfOthers user={{ ...user, role: "global_admin", tenant: null }} mayStart />);
  expect((await screen.findByRole("link", { name: "2 runs" })).getAttribute("href")).toBe("/?scope=all");
});

test("nothing is asked for where the reader may not see others' runs", () => {
  render(<RunsOfOthers user={{ ...user, tenant: null }} mayStart />);
  expect(screen.queryByRole("link")).toBeNull();
  expect(counts).not.toHaveBeenCalled();
});

test("who may only look is taken to the runs of the team once, and finds the own list when it is asked for", async () => {
  withRuns(3);
  const shown = render(<RunsOfOthers user={user} mayStart={false} />);
  await waitFor(() => expect(address.value).toBe("/?scope=tenant"));

  shown.unmount();
  go("/");
  render(<RunsOfOthers user={user} mayStart={false} />);
  await screen.findByRole("link", { name: "3 runs" });
  expect(address.value).toBe("/");
});
