import { expect, test } from "vitest";
import { traceback } from "./traceback";

const TEXT = `Traceback (most recent call last):
  File "/app/workers/execute.py", line 122, in _call
    result = job.function()
  File "/venv/lib/python3.11/site-packages/requests/api.py", line 73, in get
    return request("get", url)
           ^^^^^^^^^^^^^^^^^^^
  File "/usr/lib/python3.11/socket.py", line 845, in create_connection
    raise exceptions[0]
  File "/app/workers/jobs/fetch.py", line 9, in fetch
    raise Unreachable(url)
Unreachable: https://example.org
`;

test("calls in libraries are folded, one's own and the error are not, and no line is lost", () => {
  const parts = traceback(TEXT);

  expect(parts.map(({ folded, calls }) => [folded, calls])).toEqual([
    [false, 1],
    [true, 2],
    [false, 1],
  ]);
  expect(parts.map(({ text }) => text).join("\n")).toBe(TEXT.trimEnd());
  expect(parts.at(-1)?.text).toContain("Unreachable: https://example.org");
});

test("an error that ends within a library is shown", () => {
  const [, folded, last] = traceback(
    'Traceback:\n  File "/app/a.py", line 1, in a\n  File "/x/site-packages/b.py", line 2, in b\nValueError: c',
  );

  expect([folded?.folded, last]).toEqual([true, { folded: false, text: "ValueError: c", calls: 0 }]);
});

test("what is no traceback stays as it is", () => {
  expect(traceback("just words")).toEqual([{ folded: false, text: "just words", calls: 0 }]);
});
