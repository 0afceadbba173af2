/** The element `<taskroom-run>`, which shows one run on any page: docs/embed.md. Importing this module defines it. */
import { connect, fold, isTerminal, ShareAccess, type LogLine, type PageConnection } from "./index";
import type { Task, TaskEvent, TaskState, TaskWatch } from "./index";
import { logLineOf } from "./logLine";
import { RunView } from "./runView";

/** Several events come in one message, and a page need not be drawn for each. */
const DRAW_MS = 50;
/** A snapshot has the newest lines only. */
const SNAPSHOT_LINES = 50;
const NAME = "taskroom-run";

/** What `taskroom-end` has under `detail`. */
export interface RunEnd {
  run: string;
  status: Task["status"];
  task: Task;
}

// A server that renders pages has no elements; it may import the module all the same.
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/** Attributes: `url` (the server), `run` (the id), `token`, and `theme` (`light`, `dark`; else the system's), `lines` (how
 * many lines it keeps). It is connected to the server while it is in the page. */
export class TaskroomRun extends Base {
  static readonly observedAttributes = ["url", "run", "token", "lines"];
  private view: RunView | null = null;
  private connection: PageConnection | null = null;
  private watch: TaskWatch | null = null;
  private state: TaskState | null = null;
  private lines: LogLine[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private due = false;

  connectedCallback(): void {
    this.restart();
  }

  disconnectedCallback(): void {
    this.stop();
  }

  attributeChangedCallback(_name: string, before: string | null, now: string | null): void {
    if (before !== now && this.isConnected) this.restart();
  }

  /** Begins anew, once for all attributes that are set together. */
  private restart(): void {
    if (this.due) return;
    this.due = true;
    queueMicrotask(() => {
      this.due = false;
      this.stop();
      if (this.isConnected) this.start();
    });
  }

  private start(): void {
    this.view ??= new RunView(this.attachShadow({ mode: "open" }));
    const view = this.view;
    view.clear(Number(this.getAttribute("lines")) || undefined);
    const [url, run, token] = ["url", "run", "token"].map((name) => this.getAttribute(name) ?? "");
    if (!url || !run || !token) return view.say("The attributes url, run and token are needed.");
    const access = new ShareAccess(token, run, url.replace(/\/+$/, ""));
    const connection = (this.connection = connect(access));
    access.listen(() => {
      if (access.signedIn === false) this.end("This link is no longer valid: it has expired or was revoked.");
    });
    connection.listen(() => this.draw());
    this.watch = connection.task(run, {
      snapshot: ({ task, phases, sequence, recent_logs }) => {
        this.state = { task, phases, sequence };
        this.lines = [];
        view.restart(recent_logs, recent_logs.length >= SNAPSHOT_LINES);
        this.draw();
      },
      event: (event) => this.take(event),
      progress: () => this.draw(),
    });
    this.draw();
  }

  private take(event: TaskEvent): void {
    if (!this.state) return;
    const over = isTerminal(this.state.task.status);
    this.state = fold(this.state, event);
    const line = logLineOf(event);
    if (line) this.lines.push(line);
    this.draw();
    const { task } = this.state;
    if (over || !isTerminal(task.status)) return;
    const detail: RunEnd = { run: task.task_id, status: task.status, task };
    this.dispatchEvent(new CustomEvent<RunEnd>("taskroom-end", { detail, bubbles: true, composed: true }));
  }

  private draw(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const { view, connection, watch } = this;
      if (!view || !connection || !watch) return;
      if (watch.progress.kind === "refused") {
        const { status, detail, title } = watch.progress.problem;
        return this.end(status === 404 ? "There is no such run." : detail || title);
      }
      view.append(this.lines.splice(0));
      const over = watch.progress.kind === "ended";
      view.show(this.state, over ? null : connection.link);
      if (over) connection.close(); // nothing more comes
    }, DRAW_MS);
  }

  /** Shows a text instead of the run. */
  private end(text: string): void {
    this.stop();
    this.view?.say(text);
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.watch?.stop();
    this.connection?.close();
    this.watch = this.connection = this.state = null;
    this.lines = [];
  }
}

if (globalThis.customElements && !customElements.get(NAME)) customElements.define(NAME, TaskroomRun);

declare global {
  interface HTMLElementTagNameMap {
    "taskroom-run": TaskroomRun;
  }
  interface HTMLElementEventMap {
    "taskroom-end": CustomEvent<RunEnd>;
  }
}
