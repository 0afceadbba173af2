// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";

const LIGHT = "(prefers-color-scheme: light)";
const DARK = "(prefers-color-scheme: dark)";
const chosen = (): string | undefined => document.documentElement.dataset.theme;
const bars = (): string[] => [...document.querySelectorAll("meta")].map(({ content }) => content);

beforeEach(() => {
  vi.resetModules();
  localStorage.clear();
  document.head.replaceChildren(
    ...[LIGHT, DARK].map((media) =>
      Object.assign(document.createElement("meta"), { name: "theme-color", media, content: media === LIGHT ? "#fff" : "#111" }),
    ),
  );
});

test("the system decides until the user chooses, and the choice is kept", async () => {
  const { theme } = await import("./theme");
  expect(chosen()).toBeUndefined();
  theme.value = "dark";
  expect(chosen()).toBe("dark");
  expect(bars()).toEqual(["#111", "#111"]);
  expect(localStorage.getItem("taskroom.theme")).toBe("dark");
  theme.value = "system";
  expect(chosen()).toBeUndefined();
  expect(bars()).toEqual(["#fff", "#111"]);
});

test("a choice that was kept is there before anything is drawn", async () => {
  localStorage.setItem("taskroom.theme", "light");
  await import("./theme");
  expect(chosen()).toBe("light");
});

test("it follows another tab, and takes nothing that is no theme", async () => {
  await import("./theme");
  for (const [text, theme] of [["dark", "dark"], ["<b>", undefined]] as const) {
    localStorage.setItem("taskroom.theme", text);
    window.dispatchEvent(new StorageEvent("storage", { key: "taskroom.theme" }));
    expect(chosen()).toBe(theme);
  }
});

test("where nothing can be stored, it lasts as long as the page", async () => {
  const refuse = () => {
    throw new DOMException("no", "SecurityError");
  };
  vi.spyOn(Storage.prototype, "getItem").mockImplementation(refuse);
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(refuse);
  const { theme } = await import("./theme");
  theme.value = "dark";
  expect(chosen()).toBe("dark");
  vi.restoreAllMocks();
});
