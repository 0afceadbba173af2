import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { jsonText } from "../client/json";
import { randomKey } from "../client/randomKey";
import { type FieldErrors, Problem } from "../client/problem";
import type { JobType, Schema, Task } from "../client/types";
import { go } from "../state/address";
import { ownTitle, schemaFor } from "../state/again";
import { api, currentUser } from "../state/app";
import { forgetDraft, keepDraft, keptDraft, withoutSecrets, type StartDraft } from "../state/drafts";
import { collect, draftOf, errorsElsewhere, fieldsOf, labelOf, type Draft } from "../state/form";
import { brokenFiles, easiest, lastJob } from "../state/jobs";
import { runAddress } from "../state/routes";
import { isSteps, newParams, unfolded, withStepFields } from "../state/steps";
import { moment } from "../state/time";
import { BrokenFiles } from "./broken-files";
import { ChoiceField } from "./choice-field";
import { Field } from "./field";
import { ProblemMessage } from "./problem-message";
import { Steps } from "./steps";

const TITLE: Schema = { type: "string", maxLength: 255 };
const APPROVAL: Schema = {
  type: "object",
  description: "The run waits until somebody approves it.",
  required: ["title"],
  properties: {
    title: { type: "string", minLength: 1, maxLength: 255, title: "What is to be approved" },
    risk_level: { type: "string", enum: ["low", "medium", "high", "critical"], default: "medium" },
    estimated_cost: { type: "number", minimum: 0, default: 0 },
  },
};

/** The form that starts a run, with the fields of the job type's schema. */
export function Start({ types }: { types: readonly JobType[] }) {
  const job = types.find(({ job_type }) => job_type === lastJob.value) ?? easiest(types);
  return (
    <>
      <BrokenFiles files={brokenFiles.value} />
      {job ? <JobForm job={job} types={types} /> : <p class="hint">No job types yet: no worker has started.</p>}
    </>
  );
}

interface FormProps {
  job: JobType;
  types: readonly JobType[];
  /** The run with whose parameters the form begins; what is typed is then a draft of its own. */
  again?: Task;
}

export function JobForm({ job, types, again }: FormProps) {
  const user = String(currentUser.value?.id ?? "");
  const place = (of: JobType) => ({ userId: user, form: again ? `again ${again.task_id}` : of.job_type });
  const schemaOf = (of: JobType, draft: StartDraft): Schema => withStepFields(again ? schemaFor(of.params, again) : of.params, draft.params, types);
  const fresh = (of: JobType): StartDraft => (again ? draftOfRun(of, again, types) : emptyDraft(of));
  const found = (of: JobType) => keptDraft(place(of), (draft) => schemaOf(of, draft));
  const [kept, setKept] = useState(() => found(job));
  const [draft, setDraft] = useState(() => kept?.draft ?? fresh(job));
  const { params, title, approval } = draft;
  const schema = useMemo(() => schemaOf(job, draft), [job, again, params, types]);
  const change = (changed: Partial<StartDraft>): void => {
    const next = { ...draft, ...changed };
    setDraft(next);
    if (jsonText(next) === jsonText(fresh(job))) forgetDraft(place(job));
    else keepDraft(place(job), schemaOf(job, next), next);
  };
  const discard = (): void => {
    forgetDraft(place(job));
    setKept(null);
    setDraft(fresh(job));
    setErrors({});
  };
  const [errors, setErrors] = useState<FieldErrors>({});
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const id = useId();
  const asked = useRef({ body: "", key: "" });
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), [errors]);

  // The form stays when the job changes: otherwise the choice would lose the focus.
  const choose = (chosen: JobType | undefined): void => {
    if (!chosen) return;
    lastJob.value = chosen.job_type;
    const before = found(chosen);
    setKept(before);
    setDraft(before?.draft ?? { ...emptyDraft(chosen), title, approval });
    setErrors({});
    setProblem(null);
  };

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const parts = [collect(schema, params, "params"), collect(APPROVAL, approval, "approval")] as const;
    const wrong = Object.assign({}, ...parts.map((part) => part.errors)) as FieldErrors;
    setErrors(wrong);
    setProblem(null);
    if (Object.keys(wrong).length) return;
    const request = {
      job_type: job.job_type,
      params: parts[0].value ?? {},
      ...(title ? { title: String(title) } : {}),
      ...(parts[1].value ? { approval: parts[1].value } : {}),
      ...(again ? { again_of: again.task_id } : {}),
    };
    // A repeat after a lost answer must not start a second run; a changed form must.
    const body = jsonText(request);
    if (asked.current.body !== body) asked.current = { body, key: randomKey() };
    setBusy(true);
    try {
      const { task_id } = await api.start(request, asked.current.key);
      forgetDraft(place(job));
      go(runAddress(task_id));
    } catch (error) {
      const refused = Problem.of(error);
      setErrors(refused.errors);
      setProblem(refused);
      setBusy(false);
    }
  };

  const fields = fieldsOf(schema);
  const elsewhere = errorsElsewhere(errors, ["title", "approval", ...fields.map(([name]) => `params.${name}`)]);
  const shown = Object.keys(errors).length > 0 && !elsewhere.length;
  const values = params as Record<string, Draft>;
  return (
    <form ref={form} class="start" onSubmit={(event) => void submit(event)} noValidate>
      <ChoiceField
        label="Job"
        name="job_type"
        value={job.job_type}
        options={types.map((type) => ({ value: type.job_type, name: type.title || type.job_type }))}
        change={(chosen) => choose(types.find(({ job_type }) => job_type === chosen))}
        disabled={again !== undefined}
        describedBy={id}
      >
        <div id={id}>{job.description && <p class="hint">{job.description}</p>}</div>
      </ChoiceField>
      {kept && (
        <p class="draft-note" role="status">
          Draft from {moment(kept.at)}
          {kept.lacksSecrets && " without its secrets"} ·{" "}
          <button type="button" class="plain" onClick={discard}>
            Discard
          </button>
        </p>
      )}
      {fields.some(([, , required]) => required) && <p class="hint">* is required</p>}
      {fields.map(([name, field, required]) => {
        const set = (part: Draft): void => change({ params: { ...values, [name]: part } });
        const all = { path: `params.${name}`, label: labelOf(name, field), schema: field, required, errors, draft: values[name] ?? null, set };
        return isSteps(field) ? <Steps key={name} {...all} types={types} forgetErrors={() => setErrors({})} /> : <Field key={name} {...all} />;
      })}
      <Field path="title" label="Title" schema={TITLE} required={false} draft={title} errors={errors} set={(text) => change({ title: text })} />
      <Field
        path="approval"
        label="Ask for approval first"
        schema={APPROVAL}
        required={false}
        draft={approval}
        errors={errors}
        set={(asked) => change({ approval: asked })}
      />
      {problem && !shown && <ProblemMessage problem={problem}>{elsewhere.map((text) => <p>{text}</p>)}</ProblemMessage>}
      <button class="primary" disabled={busy}>
        {busy ? "Starting" : "Start"}
      </button>
    </form>
  );
}

const emptyDraft = (job: JobType): StartDraft => ({ params: newParams(job.params), title: "", approval: null });

/** A secret has to be typed again. */
function draftOfRun(job: JobType, run: Task, types: readonly JobType[]): StartDraft {
  const schema = schemaFor(job.params, run);
  const params = unfolded(schema, draftOf(schema, true, run.params ?? {}), run.params, types);
  return { params: withoutSecrets(withStepFields(schema, params, types), params), title: ownTitle(run), approval: null };
}
