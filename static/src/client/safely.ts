/** A fault of one who watches is told as any uncaught one, and must not disturb the others. */
export function safely(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
