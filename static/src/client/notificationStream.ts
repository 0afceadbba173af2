import { Backoff } from "./backoff";
import type { Notification } from "./types";

const ADDRESS = "/api/notifications/stream";

interface NotificationSink {
  notification(notification: Notification): void;
  /** The server took the cursor: every later notification comes. */
  joined(): void;
  error(error: Event): void;
  /** `connected` or `attempts` has changed. */
  changed(): void;
}

/** A user's notifications over an EventSource of their own. After a break it resumes at its cursor, with the delays of
 * `Backoff`, until it has failed too often in a row. */
export class NotificationStream {
  connected = false;
  /** Failed attempts since the last connection. */
  attempts = 0;
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private cursor = "";
  private backoff = new Backoff();

  constructor(
    private readonly token: () => string | null,
    private readonly most: () => number,
    private readonly sink: NotificationSink,
  ) {}

  connect(): void {
    const token = this.token();
    if (!token || this.connected) return;
    this.leave();
    // A browser sends the cookie and no header; an EventSource that can send headers needs this one.
    const init = { headers: { Authorization: `Bearer ${token}` } } as EventSourceInit;
    const source = new EventSource(this.cursor ? `${ADDRESS}?since_sequence=${this.cursor}` : ADDRESS, init);
    this.source = source;
    source.onopen = () => {
      this.connected = true;
      this.sink.changed();
    };
    // A server that shuts down opens it too; only its first message means that it stays.
    source.addEventListener("connected", (event) => {
      this.reach(event);
      this.attempts = 0;
      this.backoff = new Backoff();
      this.sink.changed();
      this.sink.joined();
    });
    source.addEventListener("notification", (event) => {
      this.reach(event);
      this.sink.notification(JSON.parse(String(event.data)) as Notification);
    });
    source.addEventListener("heartbeat", (event) => this.reach(event));
    source.onerror = (error) => {
      this.sink.error(error);
      this.leave();
      this.retry();
      this.sink.changed();
    };
  }

  disconnect(): void {
    this.leave();
    this.sink.changed();
  }

  private reach(event: MessageEvent): void {
    if (event.lastEventId) this.cursor = event.lastEventId;
  }

  private leave(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    this.connected = false;
  }

  private retry(): void {
    if (this.attempts >= this.most()) return;
    this.attempts++;
    this.timer = setTimeout(() => this.connect(), this.backoff.next());
  }
}
