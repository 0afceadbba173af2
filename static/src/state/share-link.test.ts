// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest";

const PATH = "/embed/runs/6f2c0a52-4a4e-4a4e-8a4e-1c1c1c1c1c1c";

/** Loads the module anew at an address, as a page does. */
async function open(address: string, state: unknown = null) {
  vi.resetModules();
  history.replaceState(state, "", address);
  const link = await import("./share-link");
  stops.push(link.takeTokens());
  return link;
}

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  delete document.documentElement.dataset.theme;
});

test("the token leaves the address and is kept for a reload", async () => {
  const { shareToken, sharedRun } = await open(`${PATH}?theme=dark#token=trs_secret-1`);

  expect(shareToken.value).toBe("trs_secret-1");
  expect(sharedRun()).toBe("6f2c0a52-4a4e-4a4e-8a4e-1c1c1c1c1c1c");
  expect(location.hash).toBe("");
  expect(location.search).toBe("?theme=dark");
  expect((await open(location.pathname, history.state)).shareToken.value).toBe("trs_secret-1");
});

test("a later token of the site replaces the first, and a mark of the log is none", async () => {
  const { shareToken } = await open(`${PATH}#token=trs_first`);

  location.hash = "#L12";
  dispatchEvent(new Event("hashchange"));
  expect(shareToken.value).toBe("trs_first");
  expect(location.hash).toBe("#L12");

  location.hash = "#token=trs_second";
  dispatchEvent(new Event("hashchange"));
  expect(shareToken.value).toBe("trs_second");
  expect(location.hash).toBe("");
});

test("an entry of the history that a part of the page has made keeps the token too", async () => {
  await open(`${PATH}#token=trs_first`);

  location.hash = "#outputs";
  history.replaceState(null, "");
  dispatchEvent(new Event("hashchange"));

  expect((await open(location.pathname + location.hash, history.state)).shareToken.value).toBe("trs_first");
  expect(location.hash).toBe("#outputs");
});

test("a link without a token has none", async () => {
  expect((await open(PATH)).shareToken.value).toBeNull();
  expect((await open(`${PATH}#token=eyJ.not.one`)).shareToken.value).toBeNull();
});

test("the theme is that of the address, and no other word", async () => {
  (await open(`${PATH}?theme=dark`)).setThemeOfAddress();
  expect(document.documentElement.dataset.theme).toBe("dark");
  delete document.documentElement.dataset.theme;

  (await open(`${PATH}?theme=blue`)).setThemeOfAddress();
  expect(document.documentElement.dataset.theme).toBeUndefined();
});
