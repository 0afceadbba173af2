import { useEffect, useRef, useState } from "preact/hooks";
import { Problem, type FieldErrors } from "../client/http";
import type { JobType, Schema } from "../client/types";
import { api, go } from "../state/app";
import {
  collect,
  errorsAt,
  errorsElsewhere,
  fieldsOf,
  initialInputs,
  isLong,
  kindOf,
  labelOf,
  type Inputs,
} from "../state/form";
import { Trouble } from "./trouble";

interface FieldProps {
  path: string;
  schema: Schema;
  required: boolean;
  inputs: Inputs;
  errors: FieldErrors;
  set: (path: string, value: string | boolean) => void;
}

function Field({ path, schema, required, inputs, errors, set }: FieldProps) {
  const kind = kindOf(schema);
  const wrong = errorsAt(errors, path, kind !== "object").map((text) => <p class="wrong">{text}</p>);
  const hint = schema.description && <p class="hint">{schema.description}</p>;
  const label = labelOf(path, schema);
  if (kind === "object") {
    return (
      <fieldset>
        <legend>{label}</legend>
        {hint}
        {fieldsOf(schema, path).map(([at, field, needed]) => (
          <Field {...{ inputs, errors, set }} key={at} path={at} schema={field} required={needed} />
        ))}
        {wrong}
      </fieldset>
    );
  }
  const name = (
    <span>
      {label}
      {!required && kind !== "boolean" && <em> optional</em>}
    </span>
  );
  if (kind === "boolean") {
    return (
      <label class="tick">
        <input
          type="checkbox"
          name={path}
          checked={inputs[path] === true}
          onChange={(event) => set(path, event.currentTarget.checked)}
        />
        {name}
        {hint}
        {wrong}
      </label>
    );
  }
  return (
    <label>
      {name}
      <Input {...{ path, schema, required, inputs, errors, set }} />
      {hint}
      {wrong}
    </label>
  );
}

function Input({ path, schema, required, inputs, set }: FieldProps) {
  const kind = kindOf(schema);
  const value = String(inputs[path] ?? "");
  const take = (event: Event): void => set(path, (event.currentTarget as HTMLInputElement).value);
  if (kind === "enum") {
    return (
      <select name={path} value={value} onChange={take}>
        {(!required || !value) && <option value="">–</option>}
        {schema.enum?.map((choice) => (
          <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
            {String(choice)}
          </option>
        ))}
      </select>
    );
  }
  if (kind === "json" || isLong(schema)) {
    return (
      <textarea name={path} rows={5} value={value} onInput={take} placeholder={kind === "json" ? "JSON" : undefined} />
    );
  }
  // Text also for numbers: a number input hides from the page what it cannot read, and its wheel changes values.
  const mode = kind === "integer" ? "numeric" : kind === "number" ? "decimal" : undefined;
  return <input name={path} inputMode={mode} value={value} onInput={take} />;
}

/** The form that starts a run, drawn from what the server says its job types take. */
export function Start({ types }: { types: JobType[] }) {
  const [chosen, choose] = useState(types[0]?.job_type ?? "");
  const job = types.find((type) => type.job_type === chosen) ?? types[0];
  const [title, setTitle] = useState("");
  const [inputs, setInputs] = useState<Inputs>({});
  const [errors, setErrors] = useState<FieldErrors>({});
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const asked = useRef({ body: "", key: "" });

  useEffect(() => {
    if (job) setInputs(initialInputs(job.params, "params"));
    setErrors({});
    setProblem(null);
  }, [job?.job_type]);

  if (!job) return <p class="hint">This server has no job types.</p>;

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { value, errors: found } = collect(job.params, inputs, "params");
    setErrors(found);
    setProblem(null);
    if (Object.keys(found).length) return;
    const request = { job_type: job.job_type, params: value ?? {}, ...(title ? { title } : {}) };
    // A repeat after a lost answer must not start a second run; a changed form must.
    const body = JSON.stringify(request);
    if (asked.current.body !== body) asked.current = { body, key: randomKey() };
    setBusy(true);
    try {
      const { task_id } = await api.start(request, asked.current.key);
      go(`/runs/${encodeURIComponent(task_id)}`);
    } catch (error) {
      const refused = Problem.of(error);
      setErrors(refused.errors);
      setProblem(refused);
      setBusy(false);
    }
  };

  const fields = fieldsOf(job.params, "params");
  const set = (path: string, value: string | boolean): void => setInputs((all) => ({ ...all, [path]: value }));
  const elsewhere = errorsElsewhere(errors, ["title", ...fields.map(([path]) => path)]);
  const shown = Object.keys(errors).length > 0 && !elsewhere.length;
  return (
    <form class="start" onSubmit={(event) => void submit(event)} noValidate>
      <label>
        Job
        <select name="job_type" value={job.job_type} onChange={(event) => choose(event.currentTarget.value)}>
          {types.map((type) => (
            <option key={type.job_type} value={type.job_type}>
              {type.title || type.job_type}
            </option>
          ))}
        </select>
        {job.description && <p class="hint">{job.description}</p>}
      </label>
      {fields.map(([path, schema, required]) => (
        <Field {...{ path, schema, required, inputs, errors, set }} key={`${job.job_type} ${path}`} />
      ))}
      <label>
        <span>
          Title<em> optional</em>
        </span>
        <input name="title" maxLength={255} value={title} onInput={(event) => setTitle(event.currentTarget.value)} />
        {errorsAt(errors, "title", true).map((text) => (
          <p class="wrong">{text}</p>
        ))}
      </label>
      {problem && !shown && <Trouble problem={problem}>{elsewhere.map((text) => <p>{text}</p>)}</Trouble>}
      <button class="primary" disabled={busy}>
        Start
      </button>
    </form>
  );
}

// crypto.randomUUID is missing where the page is served without TLS from another machine.
const randomKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
