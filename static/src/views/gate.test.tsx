// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, expect, test } from "vitest";
import type { User } from "../client/types";
import { address, go } from "../state/address";
import { signedIn } from "../state/session";
import { Gate } from "./gate";


beforeEach(() => go("/runs/1"));

test("a page under the form of an ended session goes to the login when one signs out elsewhere", async () => {
  const user = { id: 1, email: "a@example.org" } as User;
  const root = document.createElement("div");
  signedIn.value = { kind: "in", user };
  await act(() => render(<Gate page={() => <p>mine</p>} back={() => undefined} />, root));
  await act(() => void (signedIn.value = { kind: "out", left: false }));
  expect(root.textContent).toContain("mine");
  expect(address.value).toBe("/runs/1");
  await act(() => void (signedIn.value = { kind: "out", left: true }));
  expect(root.textContent).not.toContain("mine");
  expect(address.value).toBe("/login?next=%2Fruns%2F1");
  await act(() => render(null, root));
});
