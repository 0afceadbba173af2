import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { Problem } from "../client/problem";
import type { User } from "../client/types";
import type { Lazy } from "../state/lazy";
import { ProblemMessage } from "./problem-message";
import { Shell } from "./shell";

interface PageProps {
  user: User;
  /** The variable part of the path. */
  id: string;
}

export type Page = Lazy<ComponentType<PageProps>>;

/** A page whose code may still have to be loaded. */
export function LazyPage({ page, ...props }: PageProps & { page: Page }) {
  useEffect(() => void page.load(), [page]);
  const View = page.value.value;
  return View ? <View {...props} /> : <Shell>{page.failed.value ? <Failed /> : <Loading />}</Shell>;
}

const Loading = () => (
  <main class="page late" aria-busy="true">
    Loading.
  </main>
);

const Failed = () => (
  <main class="page">
    <ProblemMessage problem={new Problem(0, "This page could not be loaded")}>
      {" "}
      The server does not answer, or has a new version.{" "}
      <button type="button" class="plain" onClick={() => location.reload()}>
        Reload
      </button>
    </ProblemMessage>
  </main>
);
