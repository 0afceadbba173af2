import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Bearer } from "./bearer";

const fetching = vi.fn<(path: string, init: RequestInit) => Promise<Response>>();
const tokenOf = (init: RequestInit): string | null => new Headers(init.headers).get("Authorization");
const source = vi.fn<() => Promise<string | null>>();
let bearer: Bearer;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", fetching.mockReset());
  fetching.mockImplementation(async (_, init) => {
    const good = tokenOf(init) === "Bearer good";
    return new Response(good ? "[1]" : '{"title":"No"}', { status: good ? 200 : 401 });
  });
  source.mockReset().mockResolvedValue("good");
  bearer = new Bearer(source, "https://tasks.example.org");
});
afterEach(() => vi.useRealTimers());

test("asks the source for a token, and the server at its own address", async () => {
  await bearer.restore();
  expect(bearer.signedIn).toBe(true);
  expect(await bearer.call("GET", "/api/v2/tasks")).toEqual([1]);
  expect(fetching.mock.calls.map(([path]) => path)).toEqual(["https://tasks.example.org/api/v2/tasks"]);
});

test("asks again when the server takes a token no longer", async () => {
  source.mockResolvedValueOnce("old");
  await bearer.restore();
  await bearer.call("GET", "/api/v2/tasks");
  expect(fetching.mock.calls.map(([, init]) => tokenOf(init))).toEqual(["Bearer old", "Bearer good"]);
});

test("a source without a token, or whose tokens are refused, has signed out", async () => {
  source.mockResolvedValueOnce(null);
  await bearer.restore();
  expect(bearer.signedIn).toBe(false);
  source.mockResolvedValue("bad");
  await bearer.renew();
  expect(bearer.signedIn).toBe(true);
  await expect(bearer.call("GET", "/api/v2/tasks")).rejects.toMatchObject({ status: 401 });
  expect(bearer.signedIn).toBe(false);
});

test("a source that fails is asked again", async () => {
  source.mockRejectedValueOnce(new TypeError("network"));
  await bearer.restore();
  expect(bearer.signedIn).toBeNull();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(bearer.signedIn).toBe(true);
});

test("knows whether the server answers", async () => {
  const changes = vi.fn();
  await bearer.restore();
  bearer.listen(changes);
  fetching.mockRejectedValueOnce(new TypeError("network"));
  await expect(bearer.call("GET", "/a")).rejects.toMatchObject({ status: 0 });
  expect(bearer.reachable).toBe(false);
  await bearer.call("GET", "/a");
  expect(bearer.reachable).toBe(true);
  expect(changes).toHaveBeenCalledTimes(2);
});
