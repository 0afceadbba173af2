// What the service uses of Angular and RxJS: a decorator, and the least that is an Observable.
type Observer = { next(value: unknown): void; error(error: unknown): void; complete(): void };

class Observable {
  constructor(private subscribed: (observer: Observer) => () => void) {}

  subscribe(observer: Observer): () => void {
    return this.subscribed(observer);
  }
}

Object.assign(globalThis, { Observable, Injectable: () => (type: unknown) => type });
