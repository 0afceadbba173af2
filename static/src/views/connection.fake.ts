import type { UserSink } from "../client/watch";

/** Who listens to the events of the signed-in user. */
export const sinks = new Set<UserSink>();

/** A connection that never opens: a test calls its sinks itself. */
export class PageConnection {
  link = { kind: "connecting" };
  listen = () => () => undefined;
  retryNow = () => undefined;
  summary = () => ({ stop: () => undefined });
  user = (sink: UserSink) => {
    sinks.add(sink);
    return { stop: () => void sinks.delete(sink) };
  };
}
