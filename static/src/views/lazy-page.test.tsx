// @vitest-environment happy-dom
import { act, cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import type { User } from "../client/types";
import type { Page } from "./lazy-page";

vi.mock("../client/connection", () => ({
  PageConnection: class {
    link = { kind: "connecting" };
    listen = () => () => undefined;
  },
}));
const { Lazy } = await import("../state/lazy");
const { LazyPage } = await import("./lazy-page");
const View = ({ user, id }: { user: User; id: string }) => <main>{`${user.email} at ${id}`}</main>;
const user: User = { id: 1, email: "a@example.org", role: "operator", tenant: null };

afterEach(cleanup);

test("a page is loaded when it is shown, and drawn when it is there", async () => {
  let deliver: (view: typeof View) => void = () => undefined;
  const page: Page = new Lazy(() => new Promise((resolve) => (deliver = resolve)));
  render(<LazyPage page={page} user={user} id="7" />);
  expect(screen.getByRole("main").getAttribute("aria-busy")).toBe("true");
  await act(async () => deliver(View));
  expect(screen.getByRole("main").textContent).toBe("a@example.org at 7");
});

test("a page that cannot be loaded offers to load the dashboard again", async () => {
  const page: Page = new Lazy(() => Promise.reject(new TypeError("network")));
  render(<LazyPage page={page} user={user} id="7" />);
  await act(async () => undefined);
  expect(screen.getByRole("alert").textContent).toContain("This page could not be loaded");
  expect(screen.getByRole("button", { name: "Reload" })).toBeTruthy();
});
