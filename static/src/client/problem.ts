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

  /** Whether the same request may work a little later. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** Whether the same request would be refused again. The session renews after a 401; a 429 only needs a pause. */
  get isRefusal(): boolean {
    return this.status >= 400 && this.status < 500 && ![401, 408, 425, 429].includes(this.status);
  }

  /** Whether the cursor is none of this list, as after an update of the server: the list begins anew. */
  get isWrongCursor(): boolean {
    return this.status === 422 && "cursor" in this.errors;
  }

  static of(error: unknown): Problem {
    return error instanceof Problem ? error : new Problem(0, "Something went wrong in this page", String(error));
  }

  /** Reads the body of a response that is not OK. */
  static from({ status, headers }: Response, data: unknown): Problem {
    const body = (typeof data === "object" && data !== null ? data : {}) as Record<string, unknown>;
    const title = typeof body.title === "string" ? body.title : `The server answered ${status}`;
    const detail = typeof body.detail === "string" ? body.detail : "";
    const seconds = Number(headers.get("Retry-After"));
    return new Problem(status, title, detail, fieldErrors(body.errors), Number.isFinite(seconds) ? seconds : 0);
  }
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
