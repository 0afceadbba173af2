import { vi } from "vitest";

/** Always the same: what is sent first comes first. */
const DELAY_MS = 3;

interface Ask {
  readonly tab: string;
  readonly hold: () => Promise<void> | undefined;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const aborted = (): Error => Object.assign(new Error("aborted"), { name: "AbortError" });

/** Several tabs of one browser in one test: their locks, their channels, and which of them is gone. */
export class Browser {
  /** In whose name is acted now. */
  private tab = "";
  private readonly gone = new Set<string>();
  private readonly paused = new Map<string, (() => void)[]>();
  private readonly held = new Map<string, Ask>();
  private readonly queues = new Map<string, Ask[]>();
  private readonly channels = new Set<{ name: string; tab: string; onmessage: ((event: MessageEvent) => void) | null }>();

  constructor() {
    const browser = this;
    class Channel {
      onmessage: ((event: MessageEvent) => void) | null = null;
      readonly tab = browser.tab;

      constructor(readonly name: string) {
        browser.channels.add(this);
      }
      postMessage(data: unknown): void {
        const sent = structuredClone(data);
        if (browser.gone.has(this.tab)) return;
        for (const other of browser.channels) {
          if (other === this || other.name !== this.name) continue;
          const deliver = (): void => {
            const late = browser.paused.get(other.tab);
            if (late) late.push(deliver);
            else if (browser.channels.has(other) && !browser.gone.has(other.tab)) {
              browser.as(other.tab, () => other.onmessage?.({ data: sent } as MessageEvent));
            }
          };
          setTimeout(deliver, DELAY_MS);
        }
      }
      close(): void {
        browser.channels.delete(this);
      }
    }
    vi.stubGlobal("BroadcastChannel", Channel);
    vi.stubGlobal("navigator", { locks: { request: this.request } });
  }

  end(): void {
    vi.unstubAllGlobals();
  }

  as<T>(tab: string, work: () => T): T {
    const before = this.tab;
    this.tab = tab;
    try {
      return work();
    } finally {
      this.tab = before;
    }
  }

  /** The tab that holds the lock of the shared stream. */
  get leader(): string | undefined {
    return [...this.held.values()][0]?.tab;
  }

  /** The name of the only lock. */
  get lock(): string {
    return [...this.held.keys()][0] ?? "";
  }

  /** What it is told waits. */
  pause(tab: string): void {
    this.paused.set(tab, []);
  }

  go(tab: string): void {
    const late = this.paused.get(tab) ?? [];
    this.paused.delete(tab);
    for (const deliver of late) setTimeout(deliver, DELAY_MS);
  }

  /** It neither says nor hears anything any more, and holds what it holds. */
  hang(tab: string): void {
    this.gone.add(tab);
  }

  /** It ends without a word; the browser takes back what it held. */
  crash(tab: string): void {
    this.gone.add(tab);
    for (const queue of this.queues.values()) queue.splice(0, queue.length, ...queue.filter((ask) => ask.tab !== tab));
    for (const [name, ask] of this.held) if (ask.tab === tab) this.pass(name);
  }

  private readonly request = (name: string, options: LockOptions, hold: Ask["hold"]): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      const ask: Ask = { tab: this.tab, hold, resolve, reject };
      const queue = this.queues.get(name) ?? [];
      this.queues.set(name, queue);
      if (options.steal) {
        this.held.get(name)?.reject(aborted());
        queue.unshift(ask);
        setTimeout(() => this.pass(name));
        return;
      }
      queue.push(ask);
      options.signal?.addEventListener("abort", () => {
        if (!queue.includes(ask)) return;
        queue.splice(queue.indexOf(ask), 1);
        reject(aborted());
      });
      setTimeout(() => this.held.has(name) || this.pass(name));
    });

  private pass(name: string): void {
    this.held.delete(name);
    const next = this.queues.get(name)?.shift();
    if (!next) return;
    this.held.set(name, next);
    void this.as(next.tab, async () => {
      await next.hold();
      if (this.gone.has(next.tab)) return;
      next.resolve();
      if (this.held.get(name) === next) this.pass(name);
    });
  }
}
