import { computed, signal } from "@preact/signals";
import { Api } from "../client/api";
import { PageConnection } from "../client/connection";
import { Session, type SessionState } from "../client/session";
import type { Connection, Link } from "../client/watch";

/** The one session of the page, and the calls that it may make. */
export const session = new Session();
export const api = new Api(session);
export const signedIn = signal<SessionState>(session.state);
session.listen(() => (signedIn.value = session.state));

/** The user who is signed in. */
export const currentUser = computed(() => (signedIn.value.kind === "in" ? signedIn.value.user : null));

/** Whether the user may do more than look; the server checks it again. */
export const mayAct = computed(() => currentUser.value !== null && currentUser.value.role !== "viewer");

/** Everything that is live on the page comes by this one connection; `link` is its state. */
export const connection: Connection = new PageConnection(session);
export const link = signal<Link>(connection.link);
connection.listen(() => (link.value = connection.link));
