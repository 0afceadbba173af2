import type { Access } from "./access";
import { Api } from "./api";
import { Backoff } from "./backoff";
import { Carrier } from "./carrier";
import { Listeners } from "./listeners";
import { Rooms } from "./rooms";
import { Tasks } from "./tasks";
import type { TaskEvent } from "./types";
import { UserStreams } from "./userStreams";
import type { Connection, Link, TaskSink, TaskWatch, UserSink, Watch } from "./watch";

/** Between two pages of a dashboard nothing is watched for a moment. */
const LINGER_MS = 5_000;

/** The one connection of a page: what is watched, and a carrier that keeps it live. */
export class PageConnection implements Connection {
  private readonly rooms = new Rooms();
  private readonly tasks: Tasks;
  private readonly userStreams = new UserStreams(this.rooms);
  private readonly carrier: Carrier;
  private readonly listeners = new Listeners();
  private readonly closed = new AbortController();
  private idle: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly access: Access,
    backoff = new Backoff(),
  ) {
    this.tasks = new Tasks(new Api(access), this.rooms);
    this.carrier = new Carrier(access, this.rooms, backoff, () => this.listeners.call());
    const { signal } = this.closed;
    signal.addEventListener("abort", access.listen(() => this.accessChanged()));
    // A stream does not notice that the network is gone, and the page must not say "live" meanwhile.
    for (const change of ["offline", "online"]) {
      window.addEventListener(change, () => this.carrier.networkChanged(), { signal });
    }
    const visible = (): void => {
      if (!document.hidden && this.link.kind === "reconnecting") this.retryNow();
    };
    document.addEventListener("visibilitychange", visible, { signal });
  }

  get link(): Link {
    return this.carrier.link;
  }

  listen(listener: () => void): () => void {
    return this.listeners.add(listener);
  }

  task(taskId: string, sink: TaskSink): TaskWatch {
    return this.started(this.tasks.watch(taskId, sink));
  }

  summary(taskId: string, onEvent: (event: TaskEvent) => void): Watch {
    return this.started(this.tasks.watchSummary(taskId, onEvent));
  }

  /** The earlier name of `summary`. */
  standing(taskId: string, onEvent: (event: TaskEvent) => void): Watch {
    return this.summary(taskId, onEvent);
  }

  user(sink: UserSink): Watch {
    return this.started(this.userStreams.watch(sink));
  }

  retryNow(): void {
    this.carrier.retryNow();
  }

  /** Ends the connection for good: nothing that is watched gets events any more. */
  close(): void {
    this.closed.abort();
    clearTimeout(this.idle);
    this.rooms.pause();
    this.carrier.drop();
  }

  /** Connects for a new watch; the connection ends some time after the last watch has stopped. */
  private started<W extends Watch>(watch: W): W {
    const { stop } = watch;
    watch.stop = () => {
      stop();
      if (!this.watched) this.endLater();
    };
    this.begin();
    return watch;
  }

  private begin(): void {
    clearTimeout(this.idle);
    if (!this.access.signedIn) return;
    this.rooms.resume();
    this.carrier.begin();
  }

  private endLater(): void {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => this.end({ kind: "connecting" }), LINGER_MS);
  }

  private accessChanged(): void {
    const { signedIn } = this.access;
    if (signedIn === null) return;
    if (!signedIn) {
      if (this.link.kind === "signed out") return;
      this.rooms.pause();
      return this.end({ kind: "signed out" });
    }
    this.carrier.tokenChanged();
    if (this.watched) this.begin();
    this.carrier.reachableChanged();
  }

  private end(link: Link): void {
    this.carrier.drop();
    this.userStreams.forget();
    this.carrier.announce(link);
  }

  private get watched(): boolean {
    return this.tasks.watched || this.userStreams.watched;
  }
}
