import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { firstIndex } from "./first-index";
import { BLOCK } from "./log-held";
import { pathOf, sectionAt, type Section } from "./log-sections";
import { storedText } from "./settings";

/** Lines that are not shown, from one sequence up to another. */
interface Hidden {
  from: number;
  to: number;
}

/** Runs whose folded sections are remembered. */
const MOST_RUNS = 40;

const stored = storedText("log-folds");

/** Which sections of the log of a run are folded, which this browser remembers, and which lines of JSON are open. */
export class LogFolds {
  /** Lines of JSON, by their sequences. */
  readonly opened = signal<ReadonlySet<number>>(new Set());
  /** By their first sequences. */
  private readonly folded = signal<ReadonlySet<number>>(new Set());
  /** The lines of folded sections, in order; what is within another is in its span. */
  readonly hidden: ReadonlySignal<readonly Hidden[]>;

  constructor(
    private readonly runId: string,
    readonly sections: ReadonlySignal<readonly Section[]>,
  ) {
    this.folded.value = new Set(remembered()[runId]);
    this.hidden = computed(() => {
      const spans: Hidden[] = [];
      for (const { first, last } of sections.value) {
        const within = first <= (spans.at(-1)?.to ?? 0);
        if (!within && this.folded.value.has(first)) spans.push({ from: first + 1, to: last });
      }
      return spans;
    });
  }

  /** Whether a folded section hides what comes next. */
  get hidesEnd(): boolean {
    return this.hidden.value.at(-1)?.to === Infinity;
  }

  isFolded(section: Section): boolean {
    return this.folded.value.has(section.first);
  }

  /** Whether a line, or the header of a section, is within a folded section. */
  hides(sequence: number): boolean {
    const spans = this.hidden.value;
    const span = spans[firstIndex(spans.length, (index) => (spans[index] as Hidden).to >= sequence)];
    return span !== undefined && span.from <= sequence;
  }

  /** Returns the first block from `key` on that is not hidden as a whole. */
  nextShown(key: number): number {
    const spans = this.hidden.value;
    if (!spans.length) return key;
    const at = firstIndex(spans.length, (index) => (spans[index] as Hidden).to >= (key + 1) * BLOCK);
    const span = spans[at];
    if (!span || span.from > key * BLOCK + 1) return key;
    return Math.floor(span.to / BLOCK);
  }

  toggle(section: Section): void {
    const next = new Set(this.folded.value);
    if (!next.delete(section.first)) next.add(section.first);
    this.set(next);
  }

  toggleJson(sequence: number): void {
    const next = new Set(this.opened.value);
    if (!next.delete(sequence)) next.add(sequence);
    this.opened.value = next;
  }

  /** Opens all sections that hide a line. */
  reveal(sequence: number): void {
    if (!this.hides(sequence)) return;
    const next = new Set(this.folded.value);
    for (const section of pathOf(sectionAt(this.sections.value, sequence))) next.delete(section.first);
    this.set(next);
  }

  /** Folds all sections; opens all when all are folded. */
  toggleAll(): void {
    const all = this.sections.value.map(({ first }) => first);
    this.set(new Set(all.every((first) => this.folded.value.has(first)) ? [] : all));
  }

  private set(next: ReadonlySet<number>): void {
    this.folded.value = next;
    const { [this.runId]: _, ...others } = remembered();
    const kept = Object.entries(others).slice(1 - MOST_RUNS);
    if (next.size) kept.push([this.runId, [...next]]);
    stored.value = JSON.stringify(Object.fromEntries(kept));
  }
}

function remembered(): Record<string, number[]> {
  try {
    return JSON.parse(stored.value || "{}") as Record<string, number[]>;
  } catch {
    // Somebody else has written there.
    return {};
  }
}
