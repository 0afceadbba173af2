import { render, type ComponentChildren } from "preact";
import "./state/theme";
import { Problem, send } from "./client/http";
import { operations, type Document, type Field, type Operation } from "./state/openapi";
import { Trouble } from "./views/trouble";

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

function Call({ operation }: { operation: Operation }) {
  const { method, path, text, parameters, body, answers } = operation;
  return (
    <details class="call">
      <summary>
        <code>
          <b>{method}</b> {path}
        </code>
        <span>{text}</span>
      </summary>
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

function Docs({ document }: { document: Document }) {
  return (
    <Page>
      <h1>
        {document.info.title} <em>{document.info.version}</em>
      </h1>
      <p class="hint">
        {document.info.description} The document itself: <a href="/api/openapi.json">openapi.json</a>.
      </p>
      {[...operations(document)].map(([tag, calls]) => (
        <section key={tag}>
          <h2>{tag}</h2>
          {calls.map((operation) => (
            <Call key={`${operation.method} ${operation.path}`} operation={operation} />
          ))}
        </section>
      ))}
    </Page>
  );
}

/** No `Link`: the dashboard is another page. */
const Page = ({ children }: { children: ComponentChildren }) => (
  <>
    <header class="top">
      <a class="brand" href="/">
        Taskroom
      </a>
    </header>
    <main class="page">{children}</main>
  </>
);

const root = document.getElementById("app");
if (!root) throw new Error("docs.html has no #app");
send<Document>("GET", "/api/openapi.json").then(
  (found) => render(<Docs document={found} />, root),
  (error: unknown) =>
    render(
      <Page>
        <Trouble problem={Problem.of(error)}> Load the page again.</Trouble>
      </Page>,
      root,
    ),
);
