/** The client of a Taskroom server, for any page: docs/client.md. */
export { Access } from "./access";
export { Api } from "./api";
export { Backoff } from "./backoff";
export { Bearer } from "./bearer";
export { fold, NOTHING } from "./fold";
export { Problem } from "./http";
export { PageConnection } from "./connection";
export { Session, type SessionState } from "./session";
export * from "./types";
export type * from "./watch";
