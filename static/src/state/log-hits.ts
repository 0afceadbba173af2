export interface Span {
  start: number;
  end: number;
}

/** Finds a text in another; ignores case, as the server does. */
export function hits(text: string, wanted: string): Span[] {
  if (!wanted) return [];
  // Not by the lower case of both: some letters are longer in lower case, which would shift every position after them.
  const pattern = new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"), "giu");
  return [...text.matchAll(pattern)].map(({ index, 0: { length } }) => ({ start: index, end: index + length }));
}
