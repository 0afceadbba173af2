// @vitest-environment happy-dom
import { act, cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { Boundary } from "./error-boundary";

afterEach(cleanup);

test("a page that fails says so, and another one begins anew", () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const error = new Error("no such field");
  const Failing = () => {
    throw error;
  };
  const { rerender } = render(
    <Boundary key="one">
      <Failing />
    </Boundary>,
  );
  act(() => undefined);
  expect(screen.getByRole("alert").textContent).toContain("This page has failed");
  expect(screen.getByRole("alert").textContent).toContain("no such field");
  expect(screen.getByRole("button").textContent).toBe("Reload");
  expect(logged).toHaveBeenCalledWith(error);
  rerender(<Boundary key="two">fine</Boundary>);
  expect(screen.queryByRole("alert")).toBeNull();
  expect(document.body.textContent).toContain("fine");
});
