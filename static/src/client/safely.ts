/** Calls a callback from outside. What it throws is reported like any uncaught error and disturbs no other callback. */
export function safely(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
