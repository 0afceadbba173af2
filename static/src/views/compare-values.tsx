import { useMemo } from "preact/hooks";
import { changesOf, type Change } from "../state/compare";
import { masked } from "../state/secrets";
import { Json, Text } from "./json";

interface Props {
  title: string;
  before: unknown;
  after: unknown;
}

const isNothing = (value: unknown): boolean => value === null || value === undefined;

/** How two values differ, a row for each place; what is the same is only named. */
export function CompareValues({ title, before, after }: Props) {
  const { changes, more, same, hidden } = useMemo(() => changesOf(before ?? undefined, after ?? undefined), [before, after]);
  if (isNothing(before) && isNothing(after)) return null;
  const isHidden = hidden.both.length + hidden.one.length > 0;
  return (
    <section class="compare-part" aria-label={title}>
      <h2>{title}</h2>
      {changes.length === 0 ? (
        !isHidden && <p class="compare-none">{isEmpty(after) ? `no ${title.toLowerCase()}` : "the same in both"}</p>
      ) : (
        <table class="compare-values">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Before</th>
              <th scope="col">This run</th>
            </tr>
          </thead>
          <tbody>
            {changes.map((change) => (
              <Row key={change.path} change={change} title={title} />
            ))}
          </tbody>
        </table>
      )}
      {more && <p class="compare-none">There are more differences than are shown.</p>}
      {(changes.length > 0 || isHidden) && <Names what="the same" names={same} />}
      <Names what="hidden on both" names={hidden.both.map((path) => path || title.toLowerCase())} />
      <Names what="hidden on one side, so not compared" names={hidden.one.map((path) => path || title.toLowerCase())} />
    </section>
  );
}

const Names = ({ what, names }: { what: string; names: readonly string[] }) =>
  names.length === 0 ? null : (
    <p class="compare-none">
      {what}: <span class="compare-same">{names.join(", ")}</span>
    </p>
  );

const isEmpty = (value: unknown): boolean => typeof value === "object" && Object.keys(value ?? {}).length === 0;

const Row = ({ change: { path, before, after }, title }: { change: Change; title: string }) => (
  <tr>
    <th scope="row">{path || title.toLowerCase()}</th>
    {[before, after].map((value, at) => (
      <td key={at}>{value === undefined ? <em>{path ? "not given" : `no ${title.toLowerCase()}`}</em> : <Value value={shown(path, value)} />}</td>
    ))}
  </tr>
);

/** A secret is not shown, but whether it differs. */
function shown(path: string, value: unknown): unknown {
  const name = path.split(".").at(-1) ?? "";
  return (masked({ [name]: value }) as Record<string, unknown>)[name];
}

const Value = ({ value }: { value: unknown }) =>
  typeof value === "object" && value !== null ? <Json value={value} /> : <Text text={String(value)} />;
