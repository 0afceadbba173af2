import { expect, test } from "vitest";
import type { User } from "../client/types";
import { jobScopeOf } from "./job-scope";
import type { Scope } from "./filter";

test.each<[User["role"], string | null, string | null, Scope]>([
  ["operator", null, null, "mine"],
  ["operator", "acme", null, "tenant"],
  ["operator", "acme", "own", "mine"],
  ["operator", "acme", "all", "tenant"],
  ["global_admin", "acme", null, "tenant"],
  ["global_admin", null, null, "all"],
  ["global_admin", null, "mine", "mine"],
])("the pages of jobs show a %s of %s with the scope %s the runs of: %s", (role, tenant, asked, scope) => {
  expect(jobScopeOf(asked, { id: "1", role, tenant } as User)).toBe(scope);
});
