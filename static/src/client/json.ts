/** Outside of texts: a number of so many digits is perhaps another one as a number of JavaScript. */
const LONG = /(?<![.\d])\d{16}/;
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
/** Stands before digits that are kept as a text meanwhile; nobody can guess it. */
const MARK = `${Math.random()}${Math.random()}:`;
/** What people give to a run and get from it; all other numbers are counts of the server. */
const OF_USERS = new Set(["params", "result"]);
let kept = false;

/** From now on integers beyond 2^53 in parameters and results are a `bigint`, with all their digits; before, as in other people's
 * pages, they are rounded. */
export const keepDigits = (): void => {
  kept = true;
};

export const digitsAreKept = (): boolean => kept;

/** Parses JSON. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return kept && hasLongNumber(text) ? JSON.parse(markLongNumbers(text), digits) : value;
}

/** Parses what a user has written as JSON, with all digits. Throws SyntaxError. */
export const parseUsers = (text: string): unknown => parseMarked(text, isUnsafe, BigInt);

/** Parses JSON; numbers that JavaScript would write in another way are made by `make`, from their text. Throws SyntaxError. */
export const parseAsWritten = (text: string, make: (digits: string) => unknown): unknown =>
  parseMarked(text, (token) => String(Number(token)) !== token, make);

function parseMarked(text: string, marks: (token: string) => boolean, make: (digits: string) => unknown): unknown {
  // Also what is no JSON is without marks.
  const value: unknown = JSON.parse(text);
  const marked = withMarks(text, marks);
  return marked === text ? value : JSON.parse(marked, (_, part: unknown) => (isMarked(part) ? make(part.slice(MARK.length)) : part));
}

/** Returns a value as JSON, each `bigint` with its digits. */
export function jsonText(value: unknown, indent?: number): string {
  let any = false;
  const marked = (_: string, part: unknown): unknown => {
    if (typeof part !== "bigint") return part;
    any = true;
    return MARK + part.toString();
  };
  const text = JSON.stringify(value, marked, indent);
  return any ? text.replaceAll(new RegExp(`"${MARK.replaceAll(".", "\\.")}(-?\\d+)"`, "g"), "$1") : text;
}

export const hasLongNumber = (text: string): boolean => LONG.test(text);

/** Returns JSON with each integer beyond 2^53 as a text, which `digits` makes a number again. */
export const markLongNumbers = (text: string): string => withMarks(text, isUnsafe);

/** For JSON.parse. */
export const digits = (key: string, value: unknown): unknown => {
  const part = isMarked(value) ? BigInt(value.slice(MARK.length)) : value;
  return key === "" ? ofUsersOnly(part, false) : part;
};

const isMarked = (value: unknown): value is string => typeof value === "string" && value.startsWith(MARK);

const isUnsafe = (token: string): boolean => /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token));

const withMarks = (text: string, marks: (token: string) => boolean): string =>
  text.replace(TOKEN, (token) => (token.startsWith('"') || !marks(token) ? token : `"${MARK}${token}"`));

/** Makes every `bigint` that is not of a user a number again. */
function ofUsersOnly(value: unknown, ofUser: boolean): unknown {
  if (typeof value === "bigint") return ofUser ? value : Number(value);
  if (typeof value !== "object" || value === null) return value;
  const parts = value as Record<string, unknown>;
  for (const name of Object.keys(parts)) parts[name] = ofUsersOnly(parts[name], ofUser || OF_USERS.has(name));
  return value;
}
