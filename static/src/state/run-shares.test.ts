import { expect, test, vi } from "vitest";
import { Problem } from "../client/problem";
import type { NewShare, Share, ShareList } from "../client/shares";
import { linesFor, RunShares } from "./run-shares";

const RUN = "6f2c0a52-4a4e-4a4e-8a4e-1c1c1c1c1c1c";
const row = (id: string): Share => ({
  id,
  created_by: "ann@example.org",
  created_at: "2026-11-29T10:00:00Z",
  expires_at: "2026-11-30T10:00:00Z",
});
const url = `https://rooms.example/embed/runs/${RUN}#token=trs_secret`;
const made: NewShare = { ...row("new"), token: "trs_secret", url, embed_url: url };

function fake(...lists: ShareList[]) {
  return {
    shares: vi.fn(async (_taskId: string) => lists.shift() ?? { shares: [], embed_origins: [] }),
    share: vi.fn(async (_taskId: string, _expiresIn: number) => made),
    revokeShare: vi.fn(async (_taskId: string, _id: string) => undefined),
  };
}

test("a share that is made can be seen until it is revoked", async () => {
  const api = fake({ shares: [row("new"), row("old")], embed_origins: [] });
  const shares = new RunShares(RUN, api);

  await shares.make(3_600);
  expect(api.share.mock.calls).toEqual([[RUN, 3_600]]);
  expect(shares.made.value?.token).toBe("trs_secret");

  await shares.revoke("new");
  expect(shares.made.value).toBeNull();
  expect(shares.list.value?.shares.map(({ id }) => id)).toEqual(["old"]);
});

test("a share that is gone already leaves the list, and any other refusal is told", async () => {
  const api = fake({ shares: [row("a"), row("b")], embed_origins: [] });
  const shares = new RunShares(RUN, api);
  await shares.load();

  api.revokeShare.mockRejectedValueOnce(new Problem(404, "Not Found"));
  await shares.revoke("a");
  api.revokeShare.mockRejectedValueOnce(new Problem(503, "Service Unavailable"));
  await expect(shares.revoke("b")).rejects.toThrow("Service Unavailable");

  expect(shares.list.value?.shares.map(({ id }) => id)).toEqual(["b"]);
});

test("the lines for another site have its token and no more of the session", () => {
  const { frame, element } = linesFor("https://rooms.example", RUN, made);

  expect(frame).toContain(`src="${url}"`);
  expect(element).toContain(`<taskroom-run url="https://rooms.example" run="${RUN}" token="trs_secret">`);
  expect(element).toContain('src="https://rooms.example/client/element.js"');
});
