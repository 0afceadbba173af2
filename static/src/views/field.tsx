import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { jsonText, parseUsers } from "../client/json";
import type { FieldErrors } from "../client/problem";
import type { Schema } from "../client/types";
import { draftOf, errorsAt, fieldsOf, isExtra, isLong, itemAt, itemOf, kindOf, labelOf, type Draft } from "../state/form";
import { isSecret } from "../state/secrets";
import { zoneOf } from "../state/time";
import { ChoiceField } from "./choice-field";
import { FieldName } from "./field-name";

export interface FieldProps {
  /** Dotted, as errors name it. */
  path: string;
  label: string;
  schema: Schema;
  required: boolean;
  draft: Draft;
  errors: FieldErrors;
  set: (draft: Draft) => void;
}

/** One parameter with its name, description and errors; objects and lists contain others. */
export function Field(props: FieldProps) {
  const { path, schema, draft, errors, required } = props;
  const kind = kindOf(schema);
  const id = useId();
  const group = kind === "object" || kind === "list";
  const wrong = errorsAt(errors, path, !group).map((text) => <p class="wrong">{text}</p>);
  const about = (
    <div id={id}>
      {schema.description && <p class="hint">{schema.description}</p>}
      {kind === "moment" && <p class="hint">Your time: {zoneOf(draft ? new Date(String(draft)) : new Date())}</p>}
      {wrong}
    </div>
  );
  const invalid = wrong.length > 0;
  if (isExtra(schema, required)) return <Extra {...props} id={id} about={about} />;
  if (kind === "object") return <Group label={props.label} about={about} children={<Parts {...props} />} />;
  if (kind === "list") {
    return <Group label={props.label} about={about} children={<Items {...props} id={id} invalid={invalid} />} />;
  }
  if (kind === "boolean") {
    return (
      <Tick path={path} label={props.label} on={draft === true} set={props.set} id={id}>
        {about}
      </Tick>
    );
  }
  if (kind === "enum") {
    return (
      <ChoiceField
        {...{ required, invalid }}
        label={props.label}
        name={path}
        value={String(draft ?? "")}
        options={optionsOf(schema, required, draft)}
        change={props.set}
        describedBy={id}
      >
        {about}
      </ChoiceField>
    );
  }
  return (
    <div class="field">
      <label>
        <FieldName name={props.label} required={required} />
        <Input {...props} id={id} invalid={invalid} />
      </label>
      {about}
    </div>
  );
}

/** A field that may be left out can be not set, and a required one has nothing until somebody chooses. Null has an option of
 * its own only where it is not what the server takes anyway. What an earlier run was given, and is no choice any more, is shown. */
function optionsOf({ enum: choices = [], default: usual }: Schema, required: boolean, draft: Draft) {
  const named = choices.filter((choice) => choice !== null || (usual ?? null) !== null);
  const texts = named.map((choice) => jsonText(choice));
  const given = String(draft ?? "");
  if (given && !texts.includes(given)) texts.unshift(given);
  const known = texts.map((value) => ({ value, name: String(parseUsers(value)) }));
  return required && given ? known : [{ value: "", name: required ? "Choose one" : "Not set" }, ...known];
}

function Group({ label, about, children }: { label: string; about: ComponentChildren; children: ComponentChildren }) {
  return (
    <fieldset>
      <legend>{label}</legend>
      {about}
      {children}
    </fieldset>
  );
}

interface TickProps {
  path: string;
  label: string;
  on: boolean;
  id: string;
  set: (on: boolean) => void;
  children: ComponentChildren;
}

function Tick({ path, label, on, set, id, children }: TickProps) {
  const change = (event: Event): void => set((event.currentTarget as HTMLInputElement).checked);
  return (
    <div class="field">
      <label class="tick">
        <input type="checkbox" name={path} checked={on} aria-describedby={id} onChange={change} />
        <span>{label}</span>
      </label>
      <div class="of-tick">{children}</div>
    </div>
  );
}

/** An optional object, which a checkbox adds. */
function Extra(props: FieldProps & { id: string; about: ComponentChildren }) {
  const { path, label, schema, draft, set, id, about } = props;
  const wanted = draft !== null;
  return (
    <>
      <Tick path={path} label={label} on={wanted} id={id} set={(on) => set(on ? draftOf(schema) : null)}>
        {about}
      </Tick>
      {wanted && (
        <fieldset aria-label={label}>
          <Parts {...props} />
        </fieldset>
      )}
    </>
  );
}

/** The fields of an object, without a frame. */
export function Parts({ path, schema, draft, errors, set }: FieldProps) {
  const values = (draft ?? {}) as Record<string, Draft>;
  return (
    <>
      {fieldsOf(schema).map(([name, field, needed]) => (
        <Field
          key={name}
          path={`${path}.${name}`}
          label={labelOf(name, field)}
          schema={field}
          required={needed}
          draft={values[name] ?? null}
          errors={errors}
          set={(part) => set({ ...values, [name]: part })}
        />
      ))}
    </>
  );
}

function Items({ path, label, schema, draft, errors, set, id, invalid }: FieldProps & { id: string; invalid: boolean }) {
  const items = (draft ?? []) as readonly Draft[];
  const full = items.length >= (schema.maxItems ?? Infinity);
  return (
    <>
      {items.map((item, at) => (
        <div class="item" key={at}>
          <Field
            path={`${path}.${at}`}
            label={String(at + 1)}
            schema={itemAt(schema, at)}
            required
            draft={item}
            errors={errors}
            set={(part) => set(items.with(at, part))}
          />
          <button type="button" aria-label={`Remove ${label} ${at + 1}`} onClick={() => set(items.toSpliced(at, 1))}>
            Remove
          </button>
        </div>
      ))}
      <button
        type="button"
        disabled={full}
        aria-describedby={id}
        aria-invalid={invalid}
        onClick={() => set([...items, itemOf(schema)])}
      >
        Add to {label.toLowerCase()}
      </button>
    </>
  );
}

function Input({ path, schema, required, draft, set, id, invalid }: FieldProps & { id: string; invalid: boolean }) {
  const kind = kindOf(schema);
  const value = String(draft ?? "");
  const take = (event: Event): void => set((event.currentTarget as HTMLInputElement).value);
  const common = { name: path, value, "aria-describedby": id, "aria-invalid": invalid, "aria-required": required };
  if (kind === "json") return <textarea {...common} rows={4} class="json" placeholder="JSON" onInput={take} />;
  if (kind === "date" || kind === "moment") {
    return <input {...common} type={kind === "date" ? "date" : "datetime-local"} step={kind === "date" ? undefined : "any"} onInput={take} />;
  }
  if (isSecret(path.split(".").at(-1) ?? "", schema)) {
    return <input {...common} type="password" autocomplete="off" onInput={take} />;
  }
  const most = schema.maxLength === undefined ? {} : { maxLength: schema.maxLength };
  if (isLong(schema)) return <textarea {...common} {...most} rows={6} onInput={take} />;
  // Text also for numbers: a number input hides invalid text from the page, and the wheel changes its value.
  const mode = kind === "integer" ? "numeric" : kind === "number" ? "decimal" : "text";
  return <input {...common} {...most} inputMode={mode} autocomplete="off" onInput={take} />;
}
