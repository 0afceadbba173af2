import { signal } from "@preact/signals";

/** A part of the code that is loaded when it is first needed. */
export class Lazy<T> {
  readonly value = signal<T | null>(null);
  /** It could not be loaded: the server is away, or has another version of the dashboard by now. */
  readonly failed = signal(false);
  private loading: Promise<void> | null = null;

  constructor(private readonly importCode: () => Promise<T>) {}

  /**
   * Loads it once. Never throws. After a failure only a reload of the document helps: another import would be without
   * the styles that could not be loaded, which Vite's code asks for once.
   */
  load(): Promise<void> {
    return (this.loading ??= this.importCode().then(
      (value) => {
        this.value.value = value;
      },
      () => {
        this.failed.value = true;
      },
    ));
  }
}
