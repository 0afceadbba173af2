import { heard } from "./lifeSigns";
import { Problem } from "./problem";
import { readServerClock } from "./serverClock";

/** What a proxy answers when it does not reach the server. */
const OF_A_PROXY = [502, 503, 504];
const TIMEOUT_MS = 15_000;

/** Sends one request and returns its JSON (undefined when empty); throws Problem. */
export async function send<T>(
  method: string,
  path: string,
  body?: unknown,
  headers: HeadersInit = {},
  credentials: RequestCredentials = "same-origin",
): Promise<T> {
  const all = new Headers(headers);
  all.set("Accept", "application/json, application/problem+json");
  const init: RequestInit = { method, headers: all, credentials, signal: AbortSignal.timeout(TIMEOUT_MS) };
  if (body !== undefined) {
    all.set("Content-Type", "application/json");
    init.body = JSON.stringify(body);
  }
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, init);
    text = await response.text();
  } catch {
    throw new Problem(0, "The server does not answer");
  }
  if (!OF_A_PROXY.includes(response.status)) heard();
  readServerClock(response.headers);
  const data = parse(text);
  if (!response.ok) throw Problem.from(response, data);
  if (data === undefined && text) throw new Problem(0, "The server's answer was not JSON");
  return data as T;
}

/** Loads a file, however long that takes; throws Problem. */
export async function load(path: string, headers: HeadersInit, credentials: RequestCredentials): Promise<Blob> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, { headers, credentials });
    if (response.ok) return await response.blob();
    text = await response.text();
  } catch {
    throw new Problem(0, "The server does not answer");
  }
  throw Problem.from(response, parse(text));
}

function parse(text: string): unknown {
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
