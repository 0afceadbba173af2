import { expect, test } from "vitest";
import { listAddress, filterOf, isUnfiltered, taskFilterOf } from "./filter";

const user = { id: "u", email: "a@example.org", role: "operator", tenant: "acme" };

test.each(["/", "/?status=FAILURE", "/?scope=tenant&status=WAITING&job_type=a+b&q=100%25"])("%s and back", (address) => {
  const filter = filterOf(address, user);
  expect(listAddress(filter)).toBe(address);
  expect(isUnfiltered(filter)).toBe(address === "/");
});

test("a value that the filter does not know counts as not given", () => {
  expect(filterOf("/?status=NONE&scope=all&q=", user)).toEqual({ status: null, job_type: "", q: "", scope: "mine" });
  expect(filterOf("/?scope=tenant", { ...user, tenant: null }).scope).toBe("mine");
  expect(filterOf("/?scope=tenant", { ...user, role: "worker" }).scope).toBe("mine");
  expect(filterOf(`/?q=${"x".repeat(300)}`, user).q).toHaveLength(200);
});

test("the server is asked in its own words", () => {
  expect(taskFilterOf(filterOf("/?q=%234e5b", user)).q).toBe("4e5b");
  expect(taskFilterOf(filterOf("/?scope=tenant&status=FAILURE&q=+x+", user))).toEqual({
    status: "FAILURE",
    job_type: "",
    q: "x",
    scope: "tenant",
  });
});
