import { Backoff } from "./backoff";
import { send } from "./http";
import { Listeners } from "./listeners";
import { Problem } from "./problem";

/** What a proxy answers when it does not reach the server; 0: no answer at all. */
const UNREACHABLE = [0, 502, 503, 504];

/** Sends requests as a user, with an access token that is kept in memory only. */
export abstract class Access {
  token: string | null = null;
  /** Whether requests carry the cookies of the page's own origin. */
  readonly credentials: RequestCredentials = "same-origin";
  /** A room that it may always read: an SSE stream needs one before the first room is joined. */
  readonly idleRoom: string = "broadcast";
  /** Whether the last request was answered by the server. */
  reachable = true;
  /** Null: not known yet. */
  abstract readonly signedIn: boolean | null;
  private readonly listeners = new Listeners();
  private renewing: Promise<void> | null = null;
  protected readonly backoff = new Backoff();
  protected timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts sessions, so that the answer to a request of an earlier one does not change the present one. */
  protected generation = 0;

  /** `base`: the server's origin, or "" for the page's own. Another origin gets no cookies. */
  constructor(readonly base = "") {}

  /** Tabs of the same account may share a stream; null: the account is not known. */
  get account(): string | null {
    return null;
  }

  /** Calls back after every change of the fields above; returns a function that stops it. */
  listen(listener: () => void): () => void {
    return this.listeners.add(listener);
  }

  /** Finds out whether a user is signed in. Tries until there is an answer. */
  async restore(): Promise<void> {
    try {
      await this.renew();
    } catch (error) {
      if (this.signedIn !== null) return;
      this.timer = setTimeout(() => void this.restore(), this.backoff.next());
      this.unanswered(Problem.of(error));
    }
  }

  /** Takes a new access token, once for all callers meanwhile. Throws Problem; 401 means signed out now. */
  renew(): Promise<void> {
    if (this.renewing) return this.renewing;
    const renewing = this.takeOrEnd().finally(() => {
      if (this.renewing === renewing) this.renewing = null;
    });
    return (this.renewing = renewing);
  }

  /** A request as the signed-in user; a 401 is met by one renewal and one repeat. Throws Problem. */
  async call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const { token: used, generation } = this;
    try {
      return await this.sendAs<T>(used, method, path, body, headers);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401 || generation !== this.generation) throw error;
    }
    // Another call may have renewed the token while this one was under way.
    if (this.token === used) await this.renew();
    // The repeat must not be sent as another user, nor without one.
    if (generation !== this.generation) throw new Problem(401, "Signed out");
    try {
      return await this.sendAs<T>(this.token, method, path, body, headers);
    } catch (error) {
      if (error instanceof Problem && error.status === 401 && generation === this.generation) this.end();
      throw error;
    }
  }

  /** Sets a new token. Throws Problem; 401 when the user gets none any more. */
  protected abstract take(): Promise<void>;

  /** The session is over. */
  protected abstract end(): void;

  /** Begins another session, or the time without one. */
  protected startGeneration(): void {
    this.generation++;
    this.renewing = null;
  }

  /** `restore` will try again. */
  protected unanswered(_problem: Problem): void {
    this.changed();
  }

  protected send<T>(method: string, path: string, body?: unknown, headers?: HeadersInit): Promise<T> {
    return send<T>(method, this.base + path, body, headers, this.credentials);
  }

  protected changed(): void {
    this.listeners.call();
  }

  private async sendAs<T>(
    token: string | null,
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<T> {
    try {
      const answer = await this.send<T>(
        method,
        path,
        body,
        token ? { ...headers, Authorization: `Bearer ${token}` } : headers,
      );
      this.reached(true);
      return answer;
    } catch (error) {
      this.reached(!UNREACHABLE.includes(Problem.of(error).status));
      throw error;
    }
  }

  private reached(reachable: boolean): void {
    if (this.reachable === reachable) return;
    this.reachable = reachable;
    this.changed();
  }

  private async takeOrEnd(): Promise<void> {
    const { generation } = this;
    try {
      await this.take();
    } catch (error) {
      const problem = Problem.of(error);
      if (problem.status === 401 && generation === this.generation) this.end();
      throw problem;
    }
  }
}
