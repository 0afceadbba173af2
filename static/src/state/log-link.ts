/** A range of lines in an address, with its first and last line. */
export interface LineRange {
  from: number;
  to: number;
}

/** `#L1200` or `#L1200-L1210`, also the wrong way around; null for every other hash. */
export function parseLines(hash: string): LineRange | null {
  const found = /^#L(\d{1,15})(?:-L?(\d{1,15}))?$/.exec(hash);
  if (!found) return null;
  const ends = [Number(found[1]), Number(found[2] ?? found[1])].map((end) => Math.max(1, end));
  return { from: Math.min(...ends), to: Math.max(...ends) };
}

export const formatLines = ({ from, to }: LineRange): string => (from === to ? `#L${from}` : `#L${from}-L${to}`);
