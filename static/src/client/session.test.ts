import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fieldErrors, Problem } from "./problem";
import { Session } from "./session";

const user = { id: 1, email: "a@example.org" };
const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status });
const grant = (token: string): Response => json({ access_token: token, expires_in: 100, user });
const problem = (status: number, more = {}): Response => json({ title: "No", status, ...more }, status);

const fetching = vi.fn<(path: string, init: RequestInit) => Promise<Response>>();
const asked = (): string[] =>
  fetching.mock.calls.map(([path, init]) => {
    const token = new Headers(init.headers).get("Authorization");
    return [init.method, path.replace("/api/v2", ""), token].filter(Boolean).join(" ");
  });

/** Tells the other ones of its name at once. */
class FakeChannel extends EventTarget {
  static open: FakeChannel[] = [];
  constructor(readonly name: string) {
    super();
    FakeChannel.open.push(this);
  }
  postMessage(): void {
    const others = FakeChannel.open.filter((other) => other !== this && other.name === this.name);
    for (const other of others) other.dispatchEvent(new Event("message"));
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeChannel.open = [];
  vi.stubGlobal("BroadcastChannel", FakeChannel);
  vi.stubGlobal("fetch", fetching.mockReset());
});
afterEach(() => vi.useRealTimers());

async function signedIn(): Promise<Session> {
  const session = new Session();
  fetching.mockResolvedValueOnce(grant("one"));
  await session.login("a@example.org", "secret");
  fetching.mockClear();
  return session;
}

test("tabs of one user, role and tenant are of one account", async () => {
  const session = await signedIn();
  const account = async (change: object): Promise<string | null> => {
    fetching.mockResolvedValueOnce(json({ access_token: "t", expires_in: 100, user: { ...user, ...change } }));
    await session.login("a@example.org", "secret");
    return session.account;
  };
  const first = await account({ role: "user", tenant: null });
  expect(await account({ role: "user", tenant: null, email: "b@example.org" })).toBe(first);
  const others = [{ id: 2 }, { role: "admin" }, { tenant: "acme" }].map((change) => ({ role: "user", tenant: null, ...change }));
  for (const other of others) expect(await account(other)).not.toBe(first);
  expect(new Session().account).toBeNull();
});

test("a 401 is met by one renewal and one repeat", async () => {
  const session = await signedIn();
  fetching.mockResolvedValueOnce(problem(401)).mockResolvedValueOnce(grant("two")).mockResolvedValueOnce(json([1]));
  expect(await session.call("GET", "/api/v2/tasks")).toEqual([1]);
  expect(asked()).toEqual(["GET /tasks Bearer one", "POST /auth/refresh", "GET /tasks Bearer two"]);
});

test("calls that fail together renew once", async () => {
  const session = await signedIn();
  fetching.mockImplementation(async (path, init) => {
    if (path.endsWith("/refresh")) return grant("two");
    return new Headers(init.headers).get("Authorization") === "Bearer two" ? json(path) : problem(401);
  });
  await Promise.all([session.call("GET", "/a"), session.call("GET", "/b"), session.call("GET", "/c")]);
  expect(asked().filter((call) => call.includes("refresh"))).toHaveLength(1);
});

test("a refused renewal signs out, an unreachable server does not", async () => {
  const session = await signedIn();
  fetching.mockResolvedValueOnce(problem(401)).mockRejectedValueOnce(new TypeError("network"));
  await expect(session.call("GET", "/a")).rejects.toMatchObject({ status: 0 });
  expect(session.state.kind).toBe("in");
  fetching.mockResolvedValueOnce(problem(401)).mockResolvedValueOnce(problem(401));
  await expect(session.call("GET", "/a")).rejects.toBeInstanceOf(Problem);
  expect(session.state.kind).toBe("out");
  expect(session.token).toBeNull();
});

test("renews before the token expires", async () => {
  const session = await signedIn();
  fetching.mockResolvedValueOnce(grant("two"));
  await vi.advanceTimersByTimeAsync(74_000);
  expect(fetching).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(session.token).toBe("two");
});

test("a reload while the server is away waits for it instead of signing out", async () => {
  const session = new Session();
  fetching.mockRejectedValueOnce(new TypeError("network")).mockResolvedValueOnce(grant("one"));
  await session.restore();
  expect(session.state).toMatchObject({ kind: "starting", problem: { status: 0 } });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(session.state).toEqual({ kind: "in", user });
});

test("a refusal says how long to wait", async () => {
  const headers = { "Retry-After": "37" };
  fetching.mockResolvedValueOnce(new Response('{"title": "Too Many Requests"}', { status: 429, headers }));
  await expect(new Session().login("x", "y")).rejects.toMatchObject({ status: 429, retryAfter: 37 });
});

test("signing out is distinguished from the end of a session", async () => {
  const session = await signedIn();
  fetching.mockResolvedValueOnce(new Response(null, { status: 204 }));
  await session.logout();
  expect(session.state).toEqual({ kind: "out", left: true });
});

/** The answer of a request that is under way. */
function underWay(): (response: Response) => void {
  let answer!: (response: Response) => void;
  fetching.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
  return answer;
}

test("a renewal that answers after signing out does not sign in", async () => {
  const session = await signedIn();
  const renewed = underWay();
  const renewing = session.renew();
  fetching.mockResolvedValueOnce(new Response(null, { status: 204 }));
  await session.logout();
  renewed(grant("two"));
  await expect(renewing).rejects.toMatchObject({ status: 401 });
  expect(session.state).toEqual({ kind: "out", left: true });
  expect(session.token).toBeNull();
});

test("a late 401 does not end the session that was begun meanwhile", async () => {
  const session = await signedIn();
  const [renewed, called] = [underWay(), underWay()];
  const late = [session.renew(), session.call("GET", "/a")];
  fetching.mockResolvedValueOnce(grant("two"));
  await session.login("a@example.org", "secret");
  renewed(problem(401));
  called(problem(401));
  for (const each of late) await expect(each).rejects.toMatchObject({ status: 401 });
  expect(session.state.kind).toBe("in");
  expect(session.token).toBe("two");
  expect(fetching).toHaveBeenCalledTimes(3);
});

test("the other tabs get to know that a user signs out, not that a session ends", async () => {
  const [session, other, third] = [await signedIn(), await signedIn(), await signedIn()];
  fetching.mockResolvedValue(problem(401));
  await expect(third.renew()).rejects.toBeInstanceOf(Problem);
  expect([session.state.kind, other.state.kind, third.state]).toEqual(["in", "in", { kind: "out", left: false }]);
  fetching.mockResolvedValue(new Response(null, { status: 204 }));
  await session.logout();
  for (const { state } of [session, other, third]) expect(state).toEqual({ kind: "out", left: true });
});

test("works in one tab where the browser has no channel to others", async () => {
  vi.stubGlobal("BroadcastChannel", undefined);
  const session = await signedIn();
  fetching.mockResolvedValueOnce(new Response(null, { status: 204 }));
  await session.logout();
  expect(session.state).toEqual({ kind: "out", left: true });
});

test("problems keep their field messages", async () => {
  const session = new Session();
  fetching.mockResolvedValueOnce(problem(422, { detail: "Why", errors: { email: ["Not an address."] } }));
  await expect(session.login("x", "y")).rejects.toMatchObject({
    status: 422,
    title: "No",
    detail: "Why",
    errors: { email: ["Not an address."] },
  });
  expect(fieldErrors({ params: { root: ["Missing."], steps: { 0: "Bad." } } })).toEqual({
    "params.root": ["Missing."],
    "params.steps.0": ["Bad."],
  });
});
