import { reasonOf, specialWord } from "./outcome";
import { phaseRows } from "./phaseRows";
import { RUN_STYLE } from "./runStyle";
import { segmentsOf } from "./segments";
import { plainText } from "./terminalText";
import { type LogLine, type Phase, type Status, type TaskState } from "./types";
import type { Link } from "./watch";

const LINES = 500;
const WORDS: Record<Status, string> = {
  PENDING: "queued",
  WAITING: "waits for approval",
  STARTED: "running",
  RETRY: "will be tried again",
  SUCCESS: "succeeded",
  FAILURE: "failed",
  REVOKED: "cancelled",
};
const NEAR_END_PX = 24;

/** Draws one run into a shadow root, with text nodes only: what a run says is never markup. */
export class RunView {
  private readonly head = element("header", "head");
  private readonly name = element("strong", "title");
  private readonly status = element("span", "status");
  private readonly link = element("span", "connection");
  private readonly bar = element("div", "progress");
  private readonly message = element("p", "message");
  private readonly phases = element("ol", "phases");
  private readonly log = element("div", "log");
  private readonly note = element("p", "note");
  private most = LINES;
  /** Whether earlier lines are missing. */
  private cut = false;
  /** Whether it stays at the end of the log: not while a reader has scrolled up. */
  private follow = true;

  constructor(root: ShadowRoot) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(RUN_STYLE);
    root.adoptedStyleSheets = [sheet];
    const box = element("section", "run");
    box.setAttribute("aria-label", "Run");
    this.status.setAttribute("role", "status");
    this.status.setAttribute("aria-live", "polite");
    this.bar.setAttribute("role", "progressbar");
    this.bar.setAttribute("aria-label", "Progress");
    this.phases.setAttribute("aria-label", "Phases");
    // A log of a thousand lines a second must not be read aloud.
    this.log.setAttribute("role", "log");
    this.log.setAttribute("aria-live", "off");
    this.log.setAttribute("aria-label", "Log");
    this.log.tabIndex = 0;
    this.log.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.log;
      this.follow = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    });
    new ResizeObserver(() => this.toEnd()).observe(this.log);
    this.note.textContent = "Earlier lines are left out.";
    this.head.append(this.name, this.status, this.link);
    box.append(this.head, this.bar, this.message, this.phases, this.log);
    root.append(box);
  }

  /** Empties it for another run. `most`: how many lines it keeps. */
  clear(most = LINES): void {
    this.most = Math.max(1, most);
    this.restart([]);
    this.show(null, { kind: "connecting" });
  }

  /** Shows a text in place of a run. */
  say(text: string): void {
    this.restart([]);
    this.show(null, null);
    this.message.textContent = text;
    this.message.setAttribute("role", "alert");
    this.head.hidden = this.bar.hidden = this.log.hidden = true;
  }

  /** Begins the log anew with these lines. `cut`: there are earlier ones. */
  restart(lines: readonly LogLine[], cut = false): void {
    this.log.replaceChildren();
    this.cut = cut;
    this.follow = true;
    this.append(lines);
  }

  append(lines: readonly LogLine[]): void {
    if (!lines.length) return;
    const { log } = this;
    this.note.remove();
    log.append(...lines.slice(-this.most).map(lineOf));
    if (lines.length > this.most || log.childElementCount > this.most) this.cut = true;
    while (log.childElementCount > this.most) log.firstElementChild?.remove();
    if (this.cut) log.prepend(this.note);
    this.toEnd();
  }

  private toEnd(): void {
    if (this.follow) this.log.scrollTop = this.log.scrollHeight;
  }

  /** Draws all but the log. `link` null: the connection is of no more interest. */
  show(state: TaskState | null, link: Link | null): void {
    this.head.hidden = this.bar.hidden = this.log.hidden = false;
    this.message.removeAttribute("role");
    const task = state?.task;
    set(this.name, task ? task.title || task.job_type : "");
    set(this.status, task ? (specialWord(task) ?? WORDS[task.status]) : "");
    this.status.dataset.status = task?.status ?? "";
    this.status.dataset.word = this.status.textContent ?? "";
    set(this.link, link ? wordOf(link) : "");
    set(this.message, task ? (reasonOf(task) ?? task.current_phase_message ?? "") : "");
    this.message.dataset.status = task?.status ?? "";
    this.showProgress(state);
    this.phases.replaceChildren(...(state?.phases ?? []).map(phaseOf));
  }

  private showProgress(state: TaskState | null): void {
    const task = state?.task;
    const percent = task && task.progress_known !== false ? Math.round(task.progress ?? 0) : null;
    if (percent === null) this.bar.removeAttribute("aria-valuenow");
    else this.bar.setAttribute("aria-valuenow", String(percent));
    const rows = state ? phaseRows(state, (state.task.plan ?? []).map(({ phase_id }) => phase_id)) : [];
    const segments = task ? segmentsOf(task, rows, percent, Date.now()) : [];
    while (this.bar.childElementCount > segments.length) this.bar.lastElementChild?.remove();
    segments.forEach(({ phase_id, state: is, share, done }, at) => {
      const part = this.bar.children[at] ?? this.bar.appendChild(element("i", "bar"));
      const { dataset, style } = part as HTMLElement;
      dataset.state = is.replace(" ", "-");
      style.flexGrow = String(share);
      style.setProperty("--done", `${100 * (done ?? 1)}%`);
      (part as HTMLElement).title = phase_id;
    });
  }
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, part: string): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.className = part;
  made.setAttribute("part", part);
  return made;
}

/** Sets a text where it has changed: a live region reads out each change. */
function set(where: HTMLElement, text: string): void {
  if (where.textContent !== text) where.textContent = text;
}

function wordOf(link: Link): string {
  if (link.kind === "polling") return `asked every ${link.seconds} s`;
  return link.kind;
}

function phaseOf({ phase_id, status, processed_count, total_count, error_count }: Phase): HTMLElement {
  const item = element("li", "phase");
  item.dataset.status = status;
  const name = element("span", "phase-name");
  name.textContent = phase_id;
  const count = element("span", "phase-count");
  const counted = total_count === null ? (processed_count ? number(processed_count) : "") : `${number(processed_count)} / ${number(total_count)}`;
  count.textContent = error_count ? `${counted} · ${number(error_count)} failed` : counted;
  item.append(name, count);
  return item;
}

const number = (value: number): string => value.toLocaleString("en");

function lineOf({ level, message, timestamp }: LogLine): HTMLElement {
  const line = element("p", "line");
  line.dataset.level = level;
  const time = element("time", "time");
  time.dateTime = timestamp;
  time.textContent = new Date(timestamp).toLocaleTimeString();
  const text = document.createElement("span");
  text.textContent = plainText(message);
  line.append(time, text);
  return line;
}
