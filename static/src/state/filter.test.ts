import { expect, test } from "vitest";
import { filterOf, filtersSet, hiddenScopeOf, isUnfiltered, listAddress, NO_FILTER, taskFilterOf } from "./filter";

const user = { id: "u", email: "a@example.org", role: "operator", tenant: "acme" };

const WHO = "11111111-2222-4333-8444-555555555555";

test.each([
  "/",
  "/?status=FAILURE",
  "/?approval=true",
  "/?scope=tenant&status=WAITING&job_type=a+b&q=100%25",
  `/?scope=tenant&who=${WHO}&time=7d&errors=true&min_seconds=60`,
  "/?time=30d&from=2026-03-05T10%3A00%3A00Z&to=2026-03-05T12%3A00%3A00Z&max_seconds=0.5&steps=true",
])("%s and back", (address) => {
  const filter = filterOf(address, user);
  expect(listAddress(filter)).toBe(address);
  expect(isUnfiltered(filter)).toBe(address === "/");
});

test.each([
  ["/?status=FAILURE&q=night&scope=tenant", 0],
  ["/?time=30d&from=2026-03-05T10%3A00%3A00Z&to=2026-03-05T12%3A00%3A00Z&max_seconds=0.5&min_seconds=0.1&steps=true", 3],
  [`/?scope=tenant&who=${WHO}&job_type=a&errors=true`, 3],
])("%s has so many filters beside the status and the text: %d", (address, number) => {
  expect(filtersSet(filterOf(address, user))).toBe(number);
});

test("steps that are listed leave no run out", () => {
  expect(isUnfiltered(filterOf("/?scope=tenant&steps=true", user))).toBe(true);
});

test("a value that the filter does not know counts as not given", () => {
  const wrong = "/?status=NONE&scope=all&q=&who=me&time=9d&from=yesterday&to=2026-13-40T00:00:00Z&min_seconds=-1&errors=1";
  expect(filterOf(wrong, user)).toEqual(NO_FILTER);
  expect(filterOf("/?scope=all", { ...user, role: "global_admin" }).scope).toBe("all");
  expect(filterOf("/?scope=tenant", { ...user, tenant: null }).scope).toBe("mine");
  expect(filterOf("/?scope=tenant", { ...user, role: "worker" }).scope).toBe("mine");
  expect(filterOf(`/?q=${"x".repeat(300)}`, user).q).toHaveLength(200);
});

test.each([
  ["/?scope=all", "all"],
  ["/?scope=all&status=FAILURE", "all"],
  ["/?scope=tenant", null],
  ["/", null],
  ["/?scope=nobody", null],
])("of %s the user may not see the scope %s", (address, scope) => {
  expect(hiddenScopeOf(address, user)).toBe(scope);
  expect(hiddenScopeOf(address, { ...user, role: "global_admin" })).toBeNull();
});

test("who has no team may not see the runs of one", () => {
  expect(hiddenScopeOf("/?scope=tenant", { ...user, tenant: null })).toBe("tenant");
});

test("the server is asked in its own words", () => {
  expect(taskFilterOf(filterOf("/?q=%234e5b", user)).q).toBe("4e5b");
  expect(taskFilterOf(filterOf("/?scope=tenant&status=FAILURE&q=+x+&errors=true&approval=true", user))).toMatchObject({
    status: "FAILURE",
    q: "x",
    scope: "tenant",
    errors: true,
    approval: true,
    top: undefined,
  });
  const now = Date.parse("2026-03-05T10:20:00Z");
  expect(taskFilterOf(filterOf(`/?who=${WHO}&time=24h`, user), now)).toMatchObject({
    from: "2026-03-04T10:00:00Z",
    who: undefined,
    top: true,
  });
  const chosen = "/?time=24h&from=2026-03-05T08:00:00Z&to=2026-03-05T09:00:00Z&steps=true";
  expect(taskFilterOf(filterOf(chosen, user), now)).toMatchObject({
    from: "2026-03-05T08:00:00Z",
    to: "2026-03-05T09:00:00Z",
    top: undefined,
  });
});
