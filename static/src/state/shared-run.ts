import { effect, signal } from "@preact/signals";
import { Api } from "../client/api";
import { PageConnection } from "../client/connection";
import { ShareAccess } from "../client/shareAccess";
import type { Link } from "../client/watch";
import { announceLink } from "./link-words";
import { watchPulse } from "./pulse";
import { Run } from "./run";
import { Tree } from "./tree";

/** A run that is seen with a share token. It has a connection of its own, and uses neither cookies nor a session. */
export class SharedRun {
  /** Whether the share has ended. */
  readonly over = signal(false);
  readonly link = signal<Link>({ kind: "connecting" });
  readonly run: Run;
  /** What is below it. No stream tells who has a share of new tasks there. */
  readonly tree: Tree;
  readonly api: Api;
  private readonly access: ShareAccess;
  private readonly connection: PageConnection;
  private readonly stops: readonly (() => void)[];

  constructor(taskId: string, token: string) {
    const access = (this.access = new ShareAccess(token, taskId));
    const connection = (this.connection = new PageConnection(access));
    access.listen(() => (this.over.value = access.signedIn === false));
    this.connection.listen(() => (this.link.value = this.connection.link));
    this.api = new Api(access);
    this.run = this.watch(taskId);
    this.tree = new Tree(taskId, this.api, { summary: (id, onEvent) => connection.summary(id, onEvent) });
    const endPulse = watchPulse();
    this.stops = [
      endPulse,
      announceLink(this.link),
      effect(() => {
        // Nothing more comes, and many people may have the page open.
        if (this.run.progress.value.kind !== "ended") return;
        this.connection.close();
        endPulse();
      }),
    ];
  }

  /** Watches the run, or a task below it. */
  watch(taskId: string): Run {
    return new Run(taskId, this.api, this.connection);
  }

  /** Returns an output of the run. Throws Problem. */
  output(name: string): Promise<Blob> {
    return this.access.output(this.run.taskId, name);
  }

  stop(): void {
    for (const stop of this.stops) stop();
    this.run.stop();
    this.tree.stop();
    this.connection.close();
  }
}
