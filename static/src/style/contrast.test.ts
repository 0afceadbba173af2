import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

type Rgb = [number, number, number];
const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const PAIR = /--([\w-]+): light-dark\(oklch\(([^)]+)\), oklch\(([^)]+)\)\);/g;
const tokens = [...read("./theme.css").matchAll(PAIR)].map(([, name = "", light = "", dark = ""]) => ({
  name,
  light: linear(light),
  dark: linear(dark),
}));

/** OKLCH, as "52% 0.16 257", to linear sRGB (Björn Ottosson's matrices). */
function linear(text: string): Rgb {
  const [lightness = 0, chroma = 0, hue = 0] = text.split(" ").map(Number.parseFloat);
  const light = lightness / 100;
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

const luminance = (colour: Rgb): number => {
  const [red, green, blue] = colour.map((part) => Math.min(1, Math.max(0, part))) as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

const colour = (name: string, theme: "light" | "dark"): Rgb => {
  const found = tokens.find((token) => token.name === name);
  if (!found) throw new Error(`theme.css has no --${name}`);
  return found[theme];
};

function contrast(one: string, other: string, theme: "light" | "dark"): number {
  const [dark = 0, light = 0] = [one, other].map((name) => luminance(colour(name, theme))).sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ["bg", "surface", "sunk", "hover"];
const TEXT = ["text", "muted", "accent", "fail", "ok", "wait", "run", "off"];
const MARKS = ["edge", "run-bar"];

test.each(["light", "dark"] as const)("text can be read and marks be seen, %s", (theme) => {
  const pairs = [
    ...GROUNDS.flatMap((ground) => TEXT.map((name) => [name, ground, 4.5] as const)),
    ...GROUNDS.flatMap((ground) => MARKS.map((name) => [name, ground, 3] as const)),
    ["on-accent", "accent", 4.5] as const,
  ];
  const poor = pairs
    .map(([name, ground, least]) => ({ name, ground, least, ratio: contrast(name, ground, theme) }))
    .filter(({ ratio, least }) => ratio < least);
  expect(poor).toEqual([]);
});

test("every role is checked, or is only ever a ground or a hairline", () => {
  const known = [...GROUNDS, ...TEXT, ...MARKS, "on-accent", "line", "track"];
  expect(tokens.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([]);
});

test("the address bar has the colour of the header", () => {
  const hex = (theme: "light" | "dark"): string => {
    const parts = colour("surface", theme).map((part) => {
      const curved = part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055;
      return Math.round(Math.min(1, Math.max(0, curved)) * 255).toString(16).padStart(2, "0");
    });
    return `#${parts.join("")}`;
  };
  for (const page of ["../../index.html", "../../docs.html"]) {
    const metas = [...read(page).matchAll(/name="theme-color" media="\(prefers-color-scheme: (\w+)\)" content="(.+)"/g)];
    expect(metas.map(([, theme, content]) => [theme, content])).toEqual([
      ["light", hex("light")],
      ["dark", hex("dark")],
    ]);
  }
});
