import { Backoff } from "./backoff";
import { Problem, send, type Grant } from "./http";
import type { User } from "./types";

const AUTH = "/api/v2/auth";
/** The share of a token's life after which it is renewed. */
const RENEW_AT = 0.75;

export type SessionState =
  | { kind: "starting"; problem: Problem | null }
  | { kind: "in"; user: User }
  /** `left`: by one's own wish, not because the session has ended. */
  | { kind: "out"; left: boolean };

/** Who is signed in. The access token lives in memory only; HttpOnly cookies bring a session back after a reload. */
export class Session {
  state: SessionState = { kind: "starting", problem: null };
  token: string | null = null;
  private readonly listeners = new Set<() => void>();
  private readonly backoff = new Backoff();
  private renewing: Promise<void> | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Calls back after every change of state or token; returns how to stop that. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** After a page load: signs in by cookie, or out. Tries until the server gives either answer. */
  async restore(): Promise<void> {
    try {
      await this.renew();
    } catch (error) {
      if (this.state.kind !== "starting") return;
      this.change({ kind: "starting", problem: Problem.of(error) });
      this.timer = setTimeout(() => void this.restore(), this.backoff.next());
    }
  }

  /** Throws Problem. */
  async login(email: string, password: string): Promise<void> {
    this.grant(await send<Grant>("POST", `${AUTH}/login`, { email, password }));
  }

  /** Throws Problem when the server did not hear it: the session then still stands. */
  async logout(): Promise<void> {
    try {
      await this.call("POST", `${AUTH}/logout`);
    } catch (error) {
      if (Problem.of(error).status !== 401) throw error;
    }
    this.signOut(true);
  }

  /** Takes a new access token by cookie, once for all who ask meanwhile. Throws Problem; 401 means signed out now. */
  renew(): Promise<void> {
    this.renewing ??= this.takeGrant().finally(() => (this.renewing = null));
    return this.renewing;
  }

  /** A request as the signed-in user; a 401 is met by one renewal and one repeat. Throws Problem. */
  async call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const used = this.token;
    try {
      return await this.sendAs<T>(used, method, path, body, headers);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
    }
    // Another call may have renewed the token while this one was under way.
    if (this.token === used) await this.renew();
    try {
      return await this.sendAs<T>(this.token, method, path, body, headers);
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.signOut();
      throw error;
    }
  }

  private sendAs<T>(
    token: string | null,
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<T> {
    return send<T>(method, path, body, token ? { ...headers, Authorization: `Bearer ${token}` } : headers);
  }

  private async takeGrant(): Promise<void> {
    try {
      this.grant(await send<Grant>("POST", `${AUTH}/refresh`));
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.signOut();
      throw error;
    }
  }

  private grant(grant: Grant): void {
    this.token = grant.access_token;
    this.backoff.reset();
    this.renewAfter(grant.expires_in * 1_000 * RENEW_AT);
    this.change({ kind: "in", user: grant.user });
  }

  private renewAfter(delay: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.renew().catch((error: unknown) => {
        if (Problem.of(error).status !== 401) this.renewAfter(this.backoff.next());
      });
    }, delay);
  }

  private signOut(left = false): void {
    clearTimeout(this.timer);
    this.token = null;
    this.change({ kind: "out", left });
  }

  private change(state: SessionState): void {
    this.state = state;
    for (const listener of [...this.listeners]) listener();
  }
}
