/** The client of a Taskroom server, for any page: docs/client.md. */
import type { Access } from "./access";
import { Bearer, type TokenSource } from "./bearer";
import { PageConnection } from "./connection";

export { Access } from "./access";
export { Api } from "./api";
export { Backoff } from "./backoff";
export { Bearer, type TokenSource } from "./bearer";
export { PageConnection } from "./connection";
export { fold, NOTHING } from "./fold";
export { Problem, type FieldErrors } from "./problem";
export { Session, type SessionState } from "./session";
export { ShareAccess } from "./shareAccess";
export * from "./apiKeys";
export type { TaskFilter } from "./taskLists";
export type * from "./shares";
export * from "./types";
export type * from "./watch";

/** Makes the connection of a page: with a session of its own, or with tokens from a source for the server at `base`. */
export function connect(access: Access | TokenSource, base = ""): PageConnection {
  if (typeof access !== "function") return new PageConnection(access);
  const bearer = new Bearer(access, base);
  void bearer.restore();
  return new PageConnection(bearer);
}
