// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, test } from "vitest";
import { go } from "../state/address";
import { PageBar, PageLinks } from "./page-links";

afterEach(cleanup);

test.each([
  ["/", { Runs: "page" }],
  ["/jobs", { Jobs: "page" }],
  ["/jobs/shop.mail", { Jobs: "true" }],
  ["/trail", { Trail: "page" }],
  ["/settings", {}],
])("at %s the page that it is or is part of is marked, in the header and in the bar of a phone", (at, marked) => {
  go(at);

  for (const Links of [PageLinks, PageBar]) {
    render(<Links />);
    const links = screen.getAllByRole("link").filter((link) => link.hasAttribute("aria-current"));
    expect(Object.fromEntries(links.map((link) => [link.textContent, link.getAttribute("aria-current")]))).toEqual(marked);
    cleanup();
  }
});
