import type { ComponentType, JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Lazy } from "../state/lazy";

interface Props<P> {
  code: Lazy<ComponentType<P>>;
  props: P;
}

/** The tree of a run; its code is loaded when the first one is shown. */
export function TreeTab<P>({ code, props }: Props<P>) {
  useEffect(() => void code.load(), [code]);
  const View = code.value.value;
  if (View) return <View {...(props as P & JSX.IntrinsicAttributes)} />;
  if (!code.failed.value) return null;
  return <p class="problem">The steps could not be loaded: the server does not answer, or has a new version. Reload the page.</p>;
}
