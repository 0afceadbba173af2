import { computed, signal } from "@preact/signals";
import { Session, type SessionState } from "../client/session";

/** The one session of the page. Signing in needs no more than this file; app.ts has the rest. */
export const session = new Session();
export const signedIn = signal<SessionState>(session.state);
session.listen(() => (signedIn.value = session.state));

/** The user who is signed in. */
export const currentUser = computed(() => (signedIn.value.kind === "in" ? signedIn.value.user : null));
