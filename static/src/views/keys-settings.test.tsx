// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Problem } from "../client/problem";
import type { ApiKey } from "../client/apiKeys";
import type { User } from "../client/types";

vi.mock("../client/connection", () => ({
  PageConnection: class {
    link = { kind: "connecting" };
    listen = () => () => undefined;
    retryNow = () => undefined;
  },
}));
const { api } = await import("../state/app");
const { KeysSettings } = await import("./keys-settings");

const ann: User = { id: "u", email: "ann@example.org", role: "operator", tenant: "acme" };
const backup: ApiKey = {
  id: "k1",
  name: "nightly backup",
  prefix: "trk_abcdef",
  scopes: ["report", "read"],
  tenant: "acme",
  owner: "ann@example.org",
  created_at: "2026-11-29T10:00:00Z",
  expires_at: "2020-01-01T00:00:00Z",
  last_used_at: null,
};

beforeEach(() => {
  // happy-dom has no popovers.
  Object.assign(HTMLElement.prototype, { showPopover: vi.fn(), hidePopover: vi.fn() });
  vi.spyOn(api, "keys").mockResolvedValue({ keys: [backup], next: null });
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const choose = (label: string, name: string): void => {
  fireEvent.click(screen.getByRole("combobox", { name: label }));
  fireEvent.click(screen.getByRole("option", { name }));
};

const shown = async (user = ann): Promise<void> => {
  render(<KeysSettings user={user} />);
  await screen.findByRole("listitem", { name: "nightly backup" });
};

test("a row has the name, the first characters, the scopes, the last use and the expiry", async () => {
  await shown();

  const text = screen.getByRole("listitem").textContent;
  for (const part of ["nightly backup", "trk_abcdef…", "report, read", "never used", "expired"]) expect(text).toContain(part);
});

test("a key that is made is shown with the ways to use it, and is gone after that", async () => {
  const make = vi.spyOn(api, "makeKey").mockResolvedValue({ ...backup, id: "k2", key: "trk_secret" });
  await shown();

  fireEvent.input(screen.getByLabelText("Name"), { target: { value: "build" } });
  fireEvent.click(screen.getByLabelText(/^start/));
  choose("Expires", "In 30 days");
  fireEvent.click(screen.getByRole("button", { name: "Make a key" }));

  const made = await screen.findByRole("region", { name: "New key" });
  expect(make).toHaveBeenCalledWith({ name: "build", scopes: ["report", "read", "start"], expires_in: 2_592_000 });
  expect(made.querySelector("code")?.textContent).toBe("trk_secret");
  const [once, ...ways] = [...made.querySelectorAll("pre")].map(({ textContent }) => textContent);
  expect(once).toContain(`export TASKROOM_URL=${location.origin} TASKROOM_KEY=trk_secret`);
  expect(ways.map((lines) => /taskroom[. ]\w+/.exec(lines ?? "")?.[0])).toEqual(["taskroom run", "taskroom.run", "taskroom.instrument"]);
  fireEvent.click(screen.getByRole("button", { name: "Done" }));
  expect(screen.queryByText("trk_secret")).toBeNull();
});

test("without a new key the ways stand there with a placeholder, but not for who may not report", async () => {
  await shown();
  const ways = screen.getByRole("region", { name: "Report your own tasks" });
  expect(ways.querySelector("pre")?.textContent).toContain(`export TASKROOM_URL=${location.origin} TASKROOM_KEY=trk_…`);
  expect(ways.querySelectorAll("pre").length).toBe(4);
  cleanup();

  await shown({ ...ann, role: "viewer" });
  expect(screen.queryByRole("region", { name: "Report your own tasks" })).toBeNull();
});

test("a key that may not report is shown without the ways to report", async () => {
  vi.spyOn(api, "makeKey").mockResolvedValue({ ...backup, scopes: ["read"], key: "trk_secret" });
  await shown();

  fireEvent.input(screen.getByLabelText("Name"), { target: { value: "board" } });
  fireEvent.click(screen.getByRole("button", { name: "Make a key" }));

  const made = await screen.findByRole("region", { name: "New key" });
  expect(made.querySelector("pre")).toBeNull();
});

test("a refused field is named beside it", async () => {
  vi.spyOn(api, "makeKey").mockRejectedValue(new Problem(422, "Unprocessable Content", "", { name: ["Longer than 100."] }));
  await shown();

  fireEvent.input(screen.getByLabelText("Name"), { target: { value: "x" } });
  fireEvent.click(screen.getByRole("button", { name: "Make a key" }));

  await screen.findByText("Longer than 100.");
  expect(screen.getByLabelText("Name").getAttribute("aria-invalid")).toBe("true");
});

test("a key is revoked by the second click", async () => {
  const revoke = vi.spyOn(api, "revokeKey").mockResolvedValue(undefined);
  await shown();

  fireEvent.click(screen.getByRole("button", { name: "Revoke" }));
  expect(revoke).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole("button", { name: "Revoke now" }));

  await waitFor(() => expect(screen.queryByRole("listitem")).toBeNull());
  expect(revoke).toHaveBeenCalledWith("k1");
});

test("a viewer is offered reading alone, and an admin the keys of its tenant", async () => {
  await shown({ ...ann, role: "viewer" });
  expect(screen.getByLabelText<HTMLInputElement>(/^start/).disabled).toBe(true);
  expect(screen.getByLabelText<HTMLInputElement>(/^read/).checked).toBe(true);
  expect(screen.queryByRole("combobox", { name: "Whose" })).toBeNull();
  cleanup();

  await shown({ ...ann, role: "admin" });
  choose("Whose", `All of ${ann.tenant}`);
  await waitFor(() => expect(screen.getByRole("listitem").textContent).toContain("ann@example.org"));
});
