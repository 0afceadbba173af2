/** How well a name fits what was typed: more is better. `at`: the places in the name that were found, in order. */
interface Fit {
  score: number;
  at: readonly number[];
}

/** What a letter is worth: at the beginning of the name or of a word, after a letter that was found too, or anywhere. */
const FIRST = 10;
const BEGINS = 8;
const FOLLOWS = 6;
const ANYWHERE = 1;
/** Letters that are spread over more of the name than this many times their number are found by chance, and so are few. */
const SPREAD = 4;
const FEW = 3;

/** Finds each word of a text in a name: as it stands, else its letters in their order. Null: one of them is not in it. */
export function fit(text: string, name: string): Fit | null {
  const low = lowered(name);
  const found = lowered(text).split(/\s+/).filter(Boolean).map((word) => fitOfWord(word, low));
  if (found.some((one) => one === null)) return null;
  const fits = found as Fit[];
  const score = fits.reduce((sum, one) => sum + one.score, 0);
  // Of two names that fit as well the shorter one is meant.
  return { score: score - name.length / 100, at: [...new Set(fits.flatMap(({ at }) => at))].sort((a, b) => a - b) };
}

/** In lower case, letter by letter, so that places stay: some capitals become two letters. */
const lowered = (text: string): string => Array.from({ length: text.length }, (_, n) => lower(text[n] as string)).join("");
const lower = (letter: string): string => (letter.toLowerCase().length === 1 ? letter.toLowerCase() : letter);

const isBegin = (name: string, at: number): boolean => at === 0 || /[\s_\-.:/#]/.test(name[at - 1] as string);

function fitOfWord(word: string, name: string): Fit | null {
  // So that "kb" finds "Knowledge base" too.
  const sure = placesOf(word, name) ?? inOrder(word, name, (at) => isBegin(name, at));
  if (sure) return scored(sure, name);
  const at = word.length < FEW ? null : inOrder(word, name, () => true);
  return at === null || spanOf(at) > SPREAD * word.length ? null : scored(at, name);
}

const spanOf = (at: readonly number[]): number => (at.at(-1) ?? 0) - (at[0] ?? 0) + 1;

function scored(at: readonly number[], name: string): Fit {
  const worth = at.map((place, n) =>
    place === 0 ? FIRST : isBegin(name, place) ? BEGINS : n && at[n - 1] === place - 1 ? FOLLOWS : ANYWHERE,
  );
  return { score: worth.reduce((sum, one) => sum + one, 0), at };
}

/** Where the word stands in the name, at the beginning of a word rather than within one. */
function placesOf(word: string, name: string): number[] | null {
  let first = -1;
  for (let from = name.indexOf(word); from >= 0; from = name.indexOf(word, from + 1)) {
    if (first < 0) first = from;
    if (isBegin(name, from)) {
      first = from;
      break;
    }
  }
  return first < 0 ? null : Array.from(word, (_, n) => first + n);
}

/** Where the letters of the word are in the name, one after the other from the left. */
function inOrder(word: string, name: string, may: (at: number) => boolean): number[] | null {
  const at: number[] = [];
  let from = 0;
  for (const letter of word) {
    while (from < name.length && (name[from] !== letter || !may(from))) from += 1;
    if (from === name.length) return null;
    at.push(from);
    from += 1;
  }
  return at;
}
