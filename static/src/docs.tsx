import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { send } from "./client/http";
import { Problem } from "./client/problem";
import { hash } from "./state/address";
import { anchorOf, matching, operations, type Document, type Field, type Operation } from "./state/openapi";
import "./state/theme";
import { ProblemMessage } from "./views/problem-message";
import { Search } from "./views/search";
import { Sign } from "./views/sign";

function Fields({ title, fields }: { title: string; fields: Field[] }) {
  if (!fields.length) return null;
  return (
    <table>
      <caption>{title}</caption>
      <tbody>
        {fields.map((field) => (
          <tr key={field.name}>
            <th scope="row">
              <code>{field.name}</code>
              {field.required && <em> required</em>}
            </th>
            <td>{field.type}</td>
            <td>{field.note}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Call({ operation, open }: { operation: Operation; open: boolean }) {
  const { method, path, text, needs, parameters, body, answers } = operation;
  const anchor = anchorOf(operation);
  return (
    <details class="call" id={anchor} open={open}>
      <summary>
        <code>
          <b>{method}</b> {path}
        </code>
        <span>{text}</span>
      </summary>
      <p>
        {needs} <a href={`#${anchor}`}>Link to this call</a>
      </p>
      <Fields title="Parameters" fields={parameters} />
      <Fields title="Body" fields={body} />
      {answers.map(({ status, text: meaning, fields }) => (
        <div key={status}>
          <p>
            <code>{status}</code> {meaning}
          </p>
          <Fields title={`Answer ${status}`} fields={fields} />
        </div>
      ))}
    </details>
  );
}

function Docs({ document: found }: { document: Document }) {
  const [q, setQ] = useState("");
  const anchor = hash.value;
  // When the browser looked for the anchor, the page was not drawn yet.
  useEffect(() => document.getElementById(anchor)?.scrollIntoView(), [anchor]);

  const groups = [...operations(found)]
    .map(([tag, calls]) => [tag, calls.filter((call) => matching(call, q))] as const)
    .filter(([, calls]) => calls.length > 0);
  return (
    <>
      <header class="top">
        <a class="brand" href="/">
          <Sign />
          Taskroom
        </a>
        <a href="/">Runs</a>
      </header>
      <main class="page">
        <h1>
          {found.info.title} <em>{found.info.version}</em>
        </h1>
        <p class="hint">
          {found.info.description} The document itself: <a href="/api/openapi.json">openapi.json</a>.
        </p>
        <Search class="find" label="Search calls" placeholder="Method, path or words" value={q} change={setQ} />
        {groups.map(([tag, calls]) => (
          <section key={tag}>
            <h2>{tag.replaceAll("_", " ")}</h2>
            {calls.map((operation) => (
              <Call key={anchorOf(operation)} operation={operation} open={anchorOf(operation) === anchor} />
            ))}
          </section>
        ))}
        {!groups.length && <p class="empty">No call matches.</p>}
      </main>
    </>
  );
}

const root = document.getElementById("app");
if (!root) throw new Error("docs.html has no #app");
send<Document>("GET", "/api/openapi.json").then(
  (found) => {
    render(<Docs document={found} />, root);
    void import("./views/fonts");
  },
  (error: unknown) =>
    render(
      <main class="page">
        <ProblemMessage problem={Problem.of(error)}> Load the page again.</ProblemMessage>
      </main>,
      root,
    ),
);
