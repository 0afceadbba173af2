// @vitest-environment happy-dom
import { act, cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { ErrorBoundary } from "./error-boundary";

afterEach(cleanup);

test("a page that fails shows its error, and the next page is drawn again", () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const error = new Error("no such field");
  const Failing = () => {
    throw error;
  };
  const { rerender } = render(
    <ErrorBoundary key="one">
      <Failing />
    </ErrorBoundary>,
  );
  act(() => undefined);
  expect(screen.getByRole("alert").textContent).toContain("This page has failed");
  expect(screen.getByRole("alert").textContent).toContain("no such field");
  expect(screen.getByRole("button").textContent).toBe("Reload");
  expect(logged).toHaveBeenCalledWith(error);
  rerender(<ErrorBoundary key="two">fine</ErrorBoundary>);
  expect(screen.queryByRole("alert")).toBeNull();
  expect(document.body.textContent).toContain("fine");
});
