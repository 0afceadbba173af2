import { computed, signal } from "@preact/signals";
import { Api } from "../client/api";
import { PageConnection } from "../client/connection";
import type { Connection, Link } from "../client/watch";
import { currentUser, session } from "./session";

export { currentUser, session, signedIn } from "./session";

/** The calls that the session may make. */
export const api = new Api(session);

/** Whether the user may do more than look; the server checks it again. */
export const mayAct = computed(() => currentUser.value !== null && currentUser.value.role !== "viewer");

/** Everything that is live on the page comes by this one connection; `link` is its state. */
export const connection: Connection = new PageConnection(session);
export const link = signal<Link>(connection.link);
connection.listen(() => (link.value = connection.link));
