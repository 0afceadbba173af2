import { Access } from "./access";
import { Problem } from "./problem";
import type { User } from "./types";

const AUTH = "/api/v2/auth";
const CHANNEL = "taskroom.session";
/** The share of a token's validity after which it is renewed. */
const RENEW_AT = 0.75;

interface Grant {
  access_token: string;
  /** Seconds. */
  expires_in: number;
  user: User;
}

export type SessionState =
  | { kind: "starting"; problem: Problem | null }
  | { kind: "in"; user: User }
  /** `left`: the user signed out; the session did not end by itself. */
  | { kind: "out"; left: boolean };

/** The session of the page's own origin. HttpOnly cookies bring it back after a reload: `restore`. */
export class Session extends Access {
  state: SessionState = { kind: "starting", problem: null };
  /** The other tabs of this origin, which have the same session. */
  private readonly tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL);

  constructor(base = "") {
    super(base);
    this.tabs?.addEventListener("message", () => this.end(true));
  }

  get signedIn(): boolean | null {
    return this.state.kind === "starting" ? null : this.state.kind === "in";
  }

  /** With another role or tenant the same user sees other things. */
  override get account(): string | null {
    if (this.state.kind !== "in") return null;
    const { id, role, tenant } = this.state.user;
    return [id, role, tenant ?? ""].join(":");
  }

  /** Throws Problem. */
  async login(email: string, password: string): Promise<void> {
    const grant = await this.send<Grant>("POST", `${AUTH}/login`, { email, password });
    this.startGeneration();
    this.grant(grant);
  }

  /** Throws Problem when the request did not reach the server: the session then goes on. */
  async logout(): Promise<void> {
    try {
      await this.call("POST", `${AUTH}/logout`);
    } catch (error) {
      if (Problem.of(error).status !== 401) throw error;
    }
    this.end(true);
    this.tabs?.postMessage("left");
  }

  protected async take(): Promise<void> {
    const { generation } = this;
    const grant = await this.send<Grant>("POST", `${AUTH}/refresh`);
    if (generation === this.generation) this.grant(grant);
    else if (!this.signedIn) throw new Problem(401, "Signed out");
  }

  protected end(left = false): void {
    this.startGeneration();
    clearTimeout(this.timer);
    this.token = null;
    this.change({ kind: "out", left });
  }

  protected override unanswered(problem: Problem): void {
    this.change({ kind: "starting", problem });
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

  private change(state: SessionState): void {
    this.state = state;
    this.changed();
  }
}
