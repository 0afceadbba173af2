import { useEffect, useMemo } from "preact/hooks";
import { CHOICES, type NoticeChoice } from "../client/account";
import type { User } from "../client/types";
import { account } from "../state/account";
import { jobTypes, loadJobTypes } from "../state/jobs";
import { CHOICE_WORDS, ChosenNotices } from "../state/notice-choices";
import { jobAddress } from "../state/routes";
import { loadTaskTypes, taskTypes } from "../state/task-types";
import { typeNames } from "../state/type-names";
import { Choice } from "./choice";
import { Link } from "./link";
import { ProblemMessage } from "./problem-message";

const LIKE_OTHERS = "";
const OPTIONS = CHOICES.map((value) => ({ value, name: CHOICE_WORDS[value] }));

/** What the user wants to be told of its runs, of each job and of all others. */
export function NoticeSettings({ user }: { user: User }) {
  const notices = useMemo(() => new ChosenNotices(account), [user.id]);
  useEffect(() => {
    void notices.load();
    void loadJobTypes();
    void loadTaskTypes("mine");
  }, [notices]);
  const chosen = notices.chosen.value;
  const problem = notices.problem.value;
  return (
    <>
      <p class="hint">
        What the bell tells you of your runs. A run has one entry, which changes; nobody is told that a run of their own has started. Desktop notifications are
        switched on in the menu, for each browser.
      </p>
      {problem && (
        <ProblemMessage problem={problem}>
          {" "}
          {!chosen && (
            <button type="button" class="plain" onClick={() => void notices.load()}>
              Try again
            </button>
          )}
        </ProblemMessage>
      )}
      {!chosen && !problem && <p class="late">Loading.</p>}
      {chosen && <Chosen notices={notices} jobs={known(Object.keys(chosen.job_types))} />}
      <p class="hint" role="status">
        {notices.saved.value && "Saved."}
      </p>
    </>
  );
}

/** The jobs that can be started, those that were run, and those that a choice was made for, by name. */
const known = (chosen: readonly string[]): string[] =>
  [...new Set([...typeNames(jobTypes.value, taskTypes.value, ""), ...chosen])].sort((one, other) => one.localeCompare(other));

function Chosen({ notices, jobs }: { notices: ChosenNotices; jobs: readonly string[] }) {
  const { default: general, job_types } = notices.chosen.value ?? { default: "all" as const, job_types: {} };
  return (
    <dl class="notice-choices">
      <dt>All jobs, but for those below</dt>
      <dd>
        <Choice
          label="All jobs, but for those below"
          value={general}
          options={OPTIONS}
          change={(value) => void notices.setDefault(value as NoticeChoice)}
        />
      </dd>
      {jobs.map((job) => (
        <>
          <dt key={`${job} name`}>
            <Link to={jobAddress(job)}>{job}</Link>
          </dt>
          <dd key={job}>
            <Choice
              label={job}
              value={job_types[job] ?? LIKE_OTHERS}
              options={[{ value: LIKE_OTHERS, name: "Like all jobs" }, ...OPTIONS]}
              change={(value) => void notices.set(job, value === LIKE_OTHERS ? null : (value as NoticeChoice))}
            />
          </dd>
        </>
      ))}
    </dl>
  );
}
