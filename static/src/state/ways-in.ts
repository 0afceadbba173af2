/** Set by the build (vite.config.ts). */
declare const __PACKAGE_VERSION__: string;

/** Where this server offers the package `taskroom`, of the version that was built with the dashboard. */
const wheel = `sdk/taskroom-${__PACKAGE_VERSION__}-py3-none-any.whl`;

interface WayIn {
  name: string;
  /** What happens then. */
  effect: string;
  lines: string;
}

/** What is entered once in a terminal, before any of the ways in. */
export const installation = (origin: string, key: string): string =>
  [`pip install ${origin}/${wheel}`, `export TASKROOM_URL=${origin} TASKROOM_KEY=${key}`].join("\n");

/** How tasks that exist already become runs. */
export const WAYS_IN: readonly WayIn[] = [
  {
    name: "A command",
    effect: "Its output is the log, and its exit status stays its own.",
    lines: "taskroom run --name disk -- df -h",
  },
  {
    name: "A Python script or notebook",
    effect: "print and logging become lines, loops become progress. Logging below WARNING comes with logging.basicConfig(level=\"INFO\") only.",
    lines: [
      "import taskroom",
      "",
      'with taskroom.run("hello") as run:',
      '    for n in run.track(range(100), phase="try"):',
      '        run.log(f"line {n}")',
    ].join("\n"),
  },
  {
    name: "A Celery project",
    effect:
      "Each task of the application is a run, with its retries and its place in chains, groups and chords. " +
      "Without --loglevel a worker drops what tasks log below WARNING.",
    lines: ["import taskroom", "", "taskroom.instrument(app)", "# celery -A shop worker --loglevel INFO"].join("\n"),
  },
];
