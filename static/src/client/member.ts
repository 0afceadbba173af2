import { addressOf, type Answer, type Word } from "./letters";

/** Words that a tab may leave untaken: it is frozen, or too slow for what it watches. */
const MOST_WORDS = 4_096;
/** Signs of life, five seconds or more from one to the next, that a tab may leave unanswered. */
const MOST_BEATS = 8;
/** Longer than a request of REST may take. */
const ANSWER_TIMEOUT_MS = 20_000;

/** A tab, as its leader sees it. */
export class Member {
  private readonly mail: BroadcastChannel;
  private readonly asked = new Map<number, () => void>();
  private words: Word[] = [];
  private owed = 0;
  private beats = 0;

  constructor(
    name: string,
    tab: string,
    private readonly leader: string,
  ) {
    this.mail = new BroadcastChannel(addressOf(name, tab));
  }

  /** Whether it takes nothing any more. */
  get lost(): boolean {
    return this.owed > MOST_WORDS || this.beats > MOST_BEATS;
  }

  /** Words of a moment are one message. */
  say(word: Word): void {
    if (!this.words.length) queueMicrotask(() => this.flush());
    this.words.push(word);
    this.owed++;
  }

  beat(): void {
    this.beats++;
    this.post([]);
  }

  took(words: number): void {
    this.owed -= words;
    this.beats = 0;
  }

  /** Until it has found out by REST how one of its rooms stands, or does not answer. */
  poll(seat: number): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, ANSWER_TIMEOUT_MS);
      this.asked.set(seat, () => {
        clearTimeout(timer);
        done();
      });
      this.say(["poll", seat]);
    });
  }

  polled(seat: number): void {
    this.asked.get(seat)?.();
    this.asked.delete(seat);
  }

  end(): void {
    this.flush();
    for (const seat of [...this.asked.keys()]) this.polled(seat);
    this.mail.close();
  }

  private flush(): void {
    if (!this.words.length) return;
    this.post(this.words);
    this.words = [];
  }

  private post(words: readonly Word[]): void {
    this.mail.postMessage({ leader: this.leader, words } satisfies Answer);
  }
}
