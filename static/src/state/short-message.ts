import { signal } from "@preact/signals";

const SHOWN_MS = 5_000;

/** One short sentence, which goes after a while or when another one comes. */
export class ShortMessage {
  readonly text = signal("");
  private timer: ReturnType<typeof setTimeout> | undefined;

  show(text: string): void {
    this.keep(text);
    this.timer = setTimeout(() => this.keep(""), SHOWN_MS);
  }

  /** Shows it until another one comes; "": none. */
  keep(text: string): void {
    this.stop();
    this.text.value = text;
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
