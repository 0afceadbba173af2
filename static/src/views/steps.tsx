import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { JobType } from "../client/types";
import { errorsAt, itemAt, type Draft } from "../state/form";
import { moved, newStep, stepName } from "../state/steps";
import "../style/steps.css";
import { FieldName } from "./field-name";
import type { FieldProps } from "./field";
import { Step } from "./step";

interface Props extends FieldProps {
  types: readonly JobType[];
  /** Errors name steps by their places, which have changed. */
  forgetErrors: () => void;
}

/** The steps of a run: added, removed, and moved by buttons, by keys and by dragging. */
export function Steps({ path, label, schema, required, draft, errors, set, types, forgetErrors }: Props) {
  const steps = (draft ?? []) as readonly Record<string, Draft>[];
  const ids = useIds(steps.length);
  const [open, setOpen] = useState<ReadonlySet<number>>(() => new Set(steps.length === 1 ? ids.all : []));
  const [dragged, drag] = useState<number | null>(null);
  const [said, say] = useState("");
  const list = useRef<HTMLOListElement>(null);
  const keepFocus = useKeptFocus();
  const wrong = errorsAt(errors, path, false);
  const full = steps.length >= (schema.maxItems ?? Infinity);

  const isBad = (at: number): boolean => Object.keys(errors).some((name) => `${name}.`.includes(`${path.replace(/^params\./, "")}.${at}.`));
  const renumber = (): void => {
    setOpen(new Set([...open, ...ids.all.filter((_, at) => isBad(at))]));
    forgetErrors();
  };
  const move = (from: number, to: number): void => {
    if (to < 0 || to >= steps.length || from === to) return;
    keepFocus();
    renumber();
    ids.move(from, to);
    set(moved(steps, from, to));
    say(`${stepName(steps[from] ?? {}, types)} is now step ${to + 1} of ${steps.length}`);
  };
  const add = (): void => {
    const id = ids.add();
    setOpen(new Set([...open, id]));
    set([...steps, newStep(schema, null)]);
    say(`Step ${steps.length + 1} added`);
  };
  const remove = (at: number): void => {
    renumber();
    ids.remove(at);
    set(steps.toSpliced(at, 1));
    say(`${stepName(steps[at] ?? {}, types)} removed`);
    // The button that had the focus is gone.
    list.current?.parentElement?.querySelector<HTMLElement>(".add-step")?.focus();
  };
  const fold = (id: number): void => setOpen(open.has(id) ? new Set([...open].filter((other) => other !== id)) : new Set([...open, id]));
  return (
    <fieldset class="steps">
      <legend>
        <FieldName name={label} required={required} />
      </legend>
      {wrong.map((text) => (
        <p class="wrong">{text}</p>
      ))}
      <ol ref={list}>
        {steps.map((step, at) => {
          const id = ids.all[at] as number;
          return (
            <Step
              key={id}
              {...{ at, types, errors, step }}
              path={`${path}.${at}`}
              count={steps.length}
              schema={itemAt(schema, at)}
              open={open.has(id) || isBad(at)}
              target={dragged !== null && dragged !== at}
              set={(changed) => set((steps as readonly Draft[]).with(at, changed))}
              move={(to) => move(at, to)}
              remove={() => remove(at)}
              fold={() => fold(id)}
              drag={(on) => drag(on ? at : null)}
              drop={() => {
                if (dragged !== null) move(dragged, at);
                drag(null);
              }}
            />
          );
        })}
      </ol>
      <button type="button" class="add-step" disabled={full} aria-invalid={wrong.length > 0} onClick={add}>
        Add a step
      </button>
      <p class="hidden-text" role="status">
        {said}
      </p>
    </fieldset>
  );
}

/** Numbers that stay with the steps when these are moved. */
function useIds(count: number) {
  const next = useRef(0);
  const all = useRef<number[]>([]);
  // As many as there are steps, also after another draft was taken.
  while (all.current.length < count) all.current.push((next.current += 1));
  all.current.length = count;
  return {
    all: all.current,
    add: (): number => {
      all.current.push((next.current += 1));
      return next.current;
    },
    move: (from: number, to: number): void => void (all.current = [...moved(all.current, from, to)]),
    remove: (at: number): void => void all.current.splice(at, 1),
  };
}

/** Returns a function that gives the focus back after the next drawing: what is moved in the document loses it. */
function useKeptFocus(): () => void {
  const kept = useRef<Element | null>(null);
  useLayoutEffect(() => {
    const before = kept.current;
    kept.current = null;
    if (before instanceof HTMLElement && before !== document.activeElement) before.focus();
  });
  return () => void (kept.current = document.activeElement);
}
