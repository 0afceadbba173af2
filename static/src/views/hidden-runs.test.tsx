// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";

vi.mock("../client/connection", () => import("./connection.fake"));
vi.mock("./run-list", () => ({ RunList: () => null }));
const { go } = await import("../state/address");
const { RunsPage } = await import("./runs-page");

afterEach(cleanup);

test("who may not see the runs of an address is told so, with a link to the own ones", async () => {
  go("/?scope=all&status=FAILURE", true);
  render(<RunsPage user={{ id: "u", email: "a@example.org", role: "operator", tenant: "acme" }} />);

  expect(await screen.findByText(/You may not see the runs of all tenants/)).toBeTruthy();
  expect(screen.getByRole("link", { name: "Show your own runs" }).getAttribute("href")).toBe("/");
  expect(screen.queryByText(/You have run nothing yet/)).toBeNull();
});
