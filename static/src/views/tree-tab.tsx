import { useEffect } from "preact/hooks";
import { Lazy } from "../state/lazy";
import type { TreeProps } from "./tree-panel";

const code = new Lazy(async () => (await import("./tree-panel")).TreePanel);

/** The tree of a run; its code is loaded when the first one is shown. */
export function TreeTab(props: TreeProps) {
  useEffect(() => void code.load(), []);
  const View = code.value.value;
  if (View) return <View {...props} />;
  if (!code.failed.value) return null;
  return <p class="problem">The steps could not be loaded: the server does not answer, or has a new version. Reload the page.</p>;
}
