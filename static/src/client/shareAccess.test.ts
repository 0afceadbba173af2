import { beforeEach, expect, test, vi } from "vitest";
import { ShareAccess } from "./shareAccess";

const RUN = "6f2c0a52-4a4e-4a4e-8a4e-1c1c1c1c1c1c";
const fetching = vi.fn<(path: string, init: RequestInit) => Promise<Response>>();
let status: number;
let access: ShareAccess;

beforeEach(() => {
  vi.stubGlobal("fetch", fetching.mockReset());
  status = 200;
  fetching.mockImplementation(async () => new Response(status === 200 ? "[1]" : '{"title":"No"}', { status }));
  access = new ShareAccess("trs_a", RUN, "https://rooms.example");
});

test("it is signed in from the beginning, and sends its token and no cookie", async () => {
  expect(access.signedIn).toBe(true);

  expect(await access.call("GET", "/api/v2/tasks")).toEqual([1]);

  const [[path, init]] = fetching.mock.calls as [[string, RequestInit]];
  expect(path).toBe("https://rooms.example/api/v2/tasks");
  expect(new Headers(init.headers).get("Authorization")).toBe("Bearer trs_a");
  expect(init.credentials).toBe("omit");
});

test("a refusal of the token ends it, and says so once", async () => {
  const changed = vi.fn();
  access.listen(changed);
  status = 401;

  await expect(access.call("GET", "/api/v2/tasks")).rejects.toMatchObject({ status: 401 });

  expect(access.signedIn).toBe(false);
  expect(changed).toHaveBeenCalledTimes(1);
});

test("an output is loaded with the token in a header, from the run or from a task below it", async () => {
  const file = await access.output("below", "a b?.csv");

  expect(await file.text()).toBe("[1]");
  const [[path, init]] = fetching.mock.calls as [[string, RequestInit]];
  expect(path).toBe("https://rooms.example/api/v2/tasks/below/outputs/a%20b%3F.csv");
  expect(init).toEqual({ headers: { Authorization: "Bearer trs_a" }, credentials: "omit" });
});

test("an output that is refused says why; only a refusal of the token ends the share", async () => {
  status = 404;
  await expect(access.output(RUN, "gone.csv")).rejects.toMatchObject({ status: 404, title: "No" });
  expect(access.signedIn).toBe(true);

  status = 401;
  await expect(access.output(RUN, "gone.csv")).rejects.toMatchObject({ status: 401 });
  expect(access.signedIn).toBe(false);

  fetching.mockRejectedValue(new TypeError("network"));
  await expect(access.output(RUN, "gone.csv")).rejects.toMatchObject({ status: 0 });
});

test("a socket that is refused while the share goes on ends nothing", async () => {
  await access.renew();

  expect(access.signedIn).toBe(true);
  expect(fetching.mock.calls.map(([path]) => path)).toEqual([
    `https://rooms.example/api/v2/tasks/${RUN}/logs?limit=1`,
  ]);
});

test("a server that does not answer ends nothing", async () => {
  status = 503;

  await expect(access.renew()).rejects.toMatchObject({ status: 503 });

  expect(access.signedIn).toBe(true);
});
