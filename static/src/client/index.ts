/** The client of a Taskroom server, for any page: docs/client.md. */
import type { Access } from "./access";
import { Bearer, type TokenSource } from "./bearer";
import { PageConnection } from "./connection";

export { Access } from "./access";
export { Api, type TaskFilter } from "./api";
export { Backoff } from "./backoff";
export { Bearer, type TokenSource } from "./bearer";
export { PageConnection } from "./connection";
export { fold, NOTHING } from "./fold";
export { Problem, type FieldErrors } from "./http";
export { Session, type SessionState } from "./session";
export * from "./types";
export type * from "./watch";

/** The connection of a page: as who is signed in there, or with tokens from elsewhere to the server at `base`. */
export function connect(access: Access | TokenSource, base = ""): PageConnection {
  if (typeof access !== "function") return new PageConnection(access);
  const bearer = new Bearer(access, base);
  void bearer.restore();
  return new PageConnection(bearer);
}
