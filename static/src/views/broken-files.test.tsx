// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, it } from "vitest";
import { BrokenFiles } from "./broken-files";

afterEach(cleanup);

it("names each job file that the server cannot import, and why", () => {
  render(
    <BrokenFiles
      files={[
        { file: "workers/jobs/thumbnails.py", error: "ModuleNotFoundError: No module named 'PIL'" },
        { file: "workers/jobs/other.py", error: "SyntaxError: <b>bad</b>" },
      ]}
    />,
  );

  expect(screen.getByRole("status").textContent).toContain("Some job types are missing");
  expect(screen.getAllByRole("listitem").map((item) => item.textContent)).toEqual([
    "workers/jobs/thumbnails.py: ModuleNotFoundError: No module named 'PIL'",
    "workers/jobs/other.py: SyntaxError: <b>bad</b>",
  ]);
});

it("says nothing while all can be imported", () => {
  const { container } = render(<BrokenFiles files={[]} />);

  expect(container.textContent).toBe("");
});
