/** Returns a key by which the server knows a repeated request. crypto.randomUUID is missing where the page is served without TLS
 * from another machine. */
export const randomKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
