import type { User } from "./types";

export type FieldErrors = Record<string, string[]>;

/** A refusal by the server (RFC 9457), or status 0 when there was no usable answer at all. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail = "",
    readonly errors: FieldErrors = {},
    /** Seconds until it is worth trying again, where the server says so. */
    readonly retryAfter = 0,
  ) {
    super(detail ? `${title}: ${detail}` : title);
  }

  /** Whether the same may work a little later. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  static of(error: unknown): Problem {
    return error instanceof Problem ? error : new Problem(0, "Something went wrong in this page", String(error));
  }
}

export interface Grant {
  access_token: string;
  /** Seconds. */
  expires_in: number;
  user: User;
}

const TIMEOUT_MS = 15_000;
let clockOffset = 0;

/** Now by the server's clock in milliseconds, so that a wrong clock here shows no wrong running times. */
export const serverNow = (): number => Date.now() + clockOffset;

/** Sends one request and returns its JSON (undefined when empty); throws Problem. */
export async function send<T>(method: string, path: string, body?: unknown, headers: HeadersInit = {}): Promise<T> {
  const all = new Headers(headers);
  all.set("Accept", "application/json, application/problem+json");
  const init: RequestInit = { method, headers: all, signal: AbortSignal.timeout(TIMEOUT_MS) };
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
  readClock(response);
  const data = parse(text);
  if (!response.ok) throw problemOf(response, data);
  if (data === undefined && text) throw new Problem(0, "The server's answer was not JSON");
  return data as T;
}

/** `Date` has whole seconds, so smaller offsets are noise. */
function readClock(response: Response): void {
  const date = Date.parse(response.headers.get("Date") ?? "");
  if (Number.isNaN(date)) return;
  const offset = date - Date.now();
  clockOffset = Math.abs(offset) > 2_000 ? offset : 0;
}

function parse(text: string): unknown {
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function problemOf({ status, headers }: Response, data: unknown): Problem {
  const body = (typeof data === "object" && data !== null ? data : {}) as Record<string, unknown>;
  const title = typeof body.title === "string" ? body.title : `The server answered ${status}`;
  const detail = typeof body.detail === "string" ? body.detail : "";
  const seconds = Number(headers.get("Retry-After"));
  return new Problem(status, title, detail, fieldErrors(body.errors), Number.isFinite(seconds) ? seconds : 0);
}

/** Brings nested errors to one level with dotted names: {params: {root: ["…"]}} → {"params.root": ["…"]}. */
export function fieldErrors(errors: unknown, prefix = ""): FieldErrors {
  if (typeof errors === "string") return { [prefix]: [errors] };
  if (Array.isArray(errors)) return { [prefix]: errors.map(String) };
  if (typeof errors !== "object" || errors === null) return {};
  return Object.entries(errors).reduce<FieldErrors>(
    (all, [name, value]) => ({ ...all, ...fieldErrors(value, prefix ? `${prefix}.${name}` : name) }),
    {},
  );
}
