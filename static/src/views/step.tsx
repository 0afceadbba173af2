import { useId, useRef } from "preact/hooks";
import type { FieldErrors } from "../client/problem";
import type { JobType, Schema } from "../client/types";
import { errorsAt, fieldsOf, labelOf, type Draft } from "../state/form";
import { newStep, stepName } from "../state/steps";
import { Chevron } from "./chevron";
import { ChoiceField } from "./choice-field";
import { Field, Parts } from "./field";

interface Props {
  /** Its place among the steps, from 0, and how many there are. */
  at: number;
  count: number;
  path: string;
  step: Readonly<Record<string, Draft>>;
  schema: Schema;
  errors: FieldErrors;
  types: readonly JobType[];
  open: boolean;
  /** Another step is dragged, and may be dropped here. */
  target: boolean;
  set: (step: Draft) => void;
  move: (to: number) => void;
  remove: () => void;
  fold: () => void;
  drag: (on: boolean) => void;
  drop: () => void;
}

/** One step of a run that is made of steps: a line that is dragged and folded, with the fields of its job below. */
export function Step(props: Props) {
  const { at, count, step, types, open, target, move, fold, drag } = props;
  const item = useRef<HTMLLIElement>(null);
  const name = stepName(step, types);
  const press = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    // In a list that opens these keys open it.
    if (!by || !event.altKey || (event.target as Element).getAttribute("role") === "combobox") return;
    event.preventDefault();
    move(at + by);
  };
  const over = (event: DragEvent): void => {
    if (target) event.preventDefault();
  };
  const start = (event: DragEvent): void => {
    if (item.current) event.dataTransfer?.setDragImage(item.current, 12, 12);
    event.dataTransfer?.setData("text/plain", name);
    drag(true);
  };
  return (
    <li ref={item} class={target ? "step target" : "step"} aria-label={`Step ${at + 1}: ${name}`} onKeyDown={press} onDragOver={over} onDrop={props.drop}>
      <div class="step-head">
        <span class="grip" draggable title="Drag to move" onDragStart={start} onDragEnd={() => drag(false)}>
          <span class="number">{at + 1}</span>
        </span>
        <button type="button" class="quiet step-name" aria-expanded={open} title="Alt ↑ and Alt ↓ move the step" onClick={fold}>
          <Chevron open={open} />
          <bdi>{name}</bdi>
        </button>
        <button type="button" class="quiet" aria-label={`Move step ${at + 1} up`} disabled={at === 0} onClick={() => move(at - 1)}>
          ↑
        </button>
        <button type="button" class="quiet" aria-label={`Move step ${at + 1} down`} disabled={at === count - 1} onClick={() => move(at + 1)}>
          ↓
        </button>
        <button type="button" class="quiet" aria-label={`Remove step ${at + 1}`} onClick={props.remove}>
          Remove
        </button>
      </div>
      {open && <Fields {...props} />}
    </li>
  );
}

/** The job of the step, the fields of that job, and what else is said of a step. */
function Fields({ path, step, schema, errors, types, set }: Props) {
  const id = useId();
  // What was typed for another job comes back when that job is chosen again.
  const typed = useRef(new Map<string, Draft>());
  const job = types.find(({ job_type }) => job_type === step.job_type);
  const wrong = errorsAt(errors, `${path}.job_type`, true);
  const choose = (chosen: string): void => {
    const next = types.find(({ job_type }) => job_type === chosen);
    if (!next) return;
    typed.current.set(String(step.job_type), step.params ?? null);
    const params = typed.current.get(chosen) ?? newStep({ items: schema }, next).params ?? null;
    set({ ...step, job_type: chosen, params });
  };
  const unknown = step.job_type && !job ? [{ value: String(step.job_type), name: String(step.job_type) }] : [];
  const known = types.map(({ job_type, title }) => ({ value: job_type, name: title || job_type }));
  const others = fieldsOf(schema).filter(([name]) => name !== "job_type" && name !== "params");
  const params = schema.properties?.params ?? {};
  return (
    <div class="step-fields">
      <ChoiceField
        label="Job"
        name={`${path}.job_type`}
        required
        invalid={wrong.length > 0}
        value={String(step.job_type ?? "")}
        options={step.job_type ? [...unknown, ...known] : [{ value: "", name: "Choose one" }, ...known]}
        change={choose}
        describedBy={id}
      >
        <div id={id}>
          {job?.description && <p class="hint">{job.description}</p>}
          {wrong.map((text) => (
            <p class="wrong">{text}</p>
          ))}
        </div>
      </ChoiceField>
      {typeof step.params === "string" ? (
        <Field path={`${path}.params`} label="Parameters" schema={params} required={false} draft={step.params} errors={errors} set={(text) => set({ ...step, params: text })} />
      ) : (
        <Parts path={`${path}.params`} label="" schema={params} required draft={step.params ?? null} errors={errors} set={(part) => set({ ...step, params: part })} />
      )}
      {others.map(([name, field, required]) => (
        <Field
          key={name}
          path={`${path}.${name}`}
          label={name === "approval" ? "Ask for approval of this step" : labelOf(name, field)}
          schema={field}
          {...{ required, errors }}
          draft={step[name] ?? null}
          set={(part) => set({ ...step, [name]: part })}
        />
      ))}
    </div>
  );
}
