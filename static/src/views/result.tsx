import { pretty } from "../state/format";
import { Copy } from "./copy";
import { Json, Text } from "./json";

/** The parameters or the result of a run: as questions where it is a quiz, else as a tree. */
export function Value({ value, name }: { value: unknown; name: string }) {
  const questions = questionsOf(value);
  return (
    <div class="panel">
      <div class="panel-tools">
        <Copy text={() => pretty(value)} label={`Copy the ${name}`}>
          Copy
        </Copy>
      </div>
      {questions && <Questions questions={questions} />}
      {questions ? (
        <details class="raw">
          <summary>As JSON</summary>
          <Json value={value} />
        </details>
      ) : typeof value === "string" ? (
        <Text text={value} />
      ) : (
        <Json value={value} {...(typeof value === "object" && value !== null ? {} : { name })} />
      )}
    </div>
  );
}

/** One question of a quiz, or one flashcard. */
interface QuizQuestion {
  ask: string;
  answer: string;
  choices: string[];
}

/** Returns the questions of a result; null when it is no quiz. */
function questionsOf(value: unknown): QuizQuestion[] | null {
  const found = isRecord(value) ? value.questions : null;
  if (!Array.isArray(found) || found.length === 0) return null;
  const questions = found.map((one: unknown) => {
    const { question, front, answer, back, choices = [] } = isRecord(one) ? one : {};
    const pair = [question ?? front, answer ?? back];
    const texts = pair.every((text) => typeof text === "string") && Array.isArray(choices);
    return texts ? { ask: String(pair[0]), answer: String(pair[1]), choices: choices.map(String) } : null;
  });
  return questions.every((question) => question !== null) ? questions : null;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const Questions = ({ questions }: { questions: QuizQuestion[] }) => (
  <ol class="questions">
    {questions.map(({ ask, answer, choices }, index) => (
      <li key={index}>
        <p>{ask}</p>
        {choices.length > 0 ? (
          <ul>
            {choices.map((choice, at) => (
              <li key={at} class={choice === answer ? "right" : undefined}>
                {choice}
                {choice === answer && <em> answer</em>}
              </li>
            ))}
          </ul>
        ) : (
          <p class="back">{answer}</p>
        )}
      </li>
    ))}
  </ol>
);
