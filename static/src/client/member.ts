import { channelOf, type LeaderMessage, type Notice } from "./tabMessages";

/** Notices that a tab may leave unhandled: it is frozen, or too slow for what it watches. */
const MOST_NOTICES = 4_096;
/** Heartbeats, five seconds or more from one to the next, that a tab may leave unanswered. */
const MOST_BEATS = 8;
/** Longer than a request of REST may take. */
const ANSWER_TIMEOUT_MS = 20_000;

/** A tab as its leader sees it. */
export class Member {
  private readonly channel: BroadcastChannel;
  private readonly polls = new Map<number, () => void>();
  private notices: Notice[] = [];
  private unhandled = 0;
  private unanswered = 0;

  constructor(
    name: string,
    tab: string,
    private readonly leader: string,
  ) {
    this.channel = new BroadcastChannel(channelOf(name, tab));
  }

  /** Whether it has stopped answering. */
  get lost(): boolean {
    return this.unhandled > MOST_NOTICES || this.unanswered > MOST_BEATS;
  }

  /** Sends a notice; all notices of one turn of the loop are one message. */
  notify(notice: Notice): void {
    if (!this.notices.length) queueMicrotask(() => this.flush());
    this.notices.push(notice);
    this.unhandled++;
  }

  beat(): void {
    this.unanswered++;
    this.post([]);
  }

  handled(notices: number): void {
    this.unhandled -= notices;
    this.unanswered = 0;
  }

  /** Resolves when the tab has asked by REST for one of its rooms, or does not answer in time. */
  poll(join: number): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, ANSWER_TIMEOUT_MS);
      this.polls.set(join, () => {
        clearTimeout(timer);
        done();
      });
      this.notify(["poll", join]);
    });
  }

  polled(join: number): void {
    this.polls.get(join)?.();
    this.polls.delete(join);
  }

  end(): void {
    this.flush();
    for (const join of [...this.polls.keys()]) this.polled(join);
    this.channel.close();
  }

  private flush(): void {
    if (!this.notices.length) return;
    this.post(this.notices);
    this.notices = [];
  }

  private post(notices: readonly Notice[]): void {
    this.channel.postMessage({ leader: this.leader, notices } satisfies LeaderMessage);
  }
}
