import { expect, test } from "vitest";
import { NOTHING } from "../client/fold";
import type { LogLine, Task } from "../client/types";
import { failureOf, type Failure } from "./failure";
import { ticket } from "./ticket";

const line = (sequence: number, level: string, message: string): LogLine => ({
  sequence,
  timestamp: `2026-01-01T00:00:0${sequence}.000000Z`,
  level,
  message,
  component: null,
  phase: "send",
});

const TASK: Task = {
  ...NOTHING.task,
  task_id: "t1",
  job_type: "invoices",
  title: "Invoices of October",
  params: { month: "2026-10", password: "[redacted]", smtp_passphrase: "open sesame" },
  status: "FAILURE",
  // It was started again after an approval, and after a failure.
  attempt: 3,
  retry_count: 1,
  worker: "mail@host/7",
  started_at: "2026-01-01T00:00:00Z",
  finished_at: "2026-01-01T00:01:12Z",
  error: {
    type: "ValueError",
    message: "no ``` amount",
    traceback: "Traceback (most recent call last):\nValueError: no ``` amount\n",
    phase: "send",
    source: {
      file: "shop/tasks.py",
      line: 11,
      function: "send",
      first_line: 9,
      lines: ["    if amount:", "", "        raise ValueError(x)", "", "", "def next():"],
    },
  },
};

const given = (task: Task) => ({
  task,
  failure: failureOf(task) as Failure,
  phase: task.error?.phase ?? null,
  lines: { line: null, before: [line(1, "INFO", "\u001b[32mread\u001b[0m"), line(2, "WARNING", "odd\nsecond")] },
  link: "https://rooms.example/runs/t1#L3",
});

test("a ticket has what somebody needs who has never seen the run", () => {
  expect(ticket(given(TASK))).toBe(`## Invoices of October: no \`\`\` amount

- Run: https://rooms.example/runs/t1#L3
- Job: invoices
- Error: ValueError
- Phase: send
- When: 2026-01-01T00:01:12Z
- After: 1 m 12 s
- Attempt: 2
- Worker: mail@host/7

Source, shop/tasks.py, line 11, in send:

\`\`\`
   9 | if amount:
  10 |
> 11 |     raise ValueError(x)
\`\`\`

Traceback:

\`\`\`\`
Traceback (most recent call last):
ValueError: no \`\`\` amount
\`\`\`\`

The 2 lines before:

\`\`\`
2026-01-01T00:00:01.000000Z INFO    [send] read
2026-01-01T00:00:02.000000Z WARNING [send] odd
second
\`\`\`

Parameters:

\`\`\`json
{
  "month": "2026-10",
  "password": "••••••",
  "smtp_passphrase": "••••••"
}
\`\`\`
`);
});

test("what is not known is left out, and what is long is cut", () => {
  const bare: Task = { ...TASK, title: "invoices", attempt: 0, worker: null, started_at: null, params: null, error: null, finished_at: null };
  const long = ticket({ ...given({ ...TASK, params: { text: "x".repeat(9_000) } }) });

  expect(ticket({ ...given(bare), lines: { line: null, before: [] } })).toBe(`## invoices: This run has failed and gave no reason

- Run: https://rooms.example/runs/t1#L3
- Job: invoices
`);
  expect(long).toContain("… of 9,016 characters");
});

test("an integer beyond 2^53 has all its digits", () => {
  const params = { order: 9007199254740993n, of: [-12345678901234567890n] };
  const text = ticket(given({ ...TASK, params }));
  expect(text).toContain('"order": 9007199254740993,');
  expect(text).toContain("-12345678901234567890");
});
