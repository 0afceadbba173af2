import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import type { User } from "../client/types";
import type { Lazy } from "../state/lazy";
import { Frame } from "./frame";
import { Loading, NoCode } from "./no-code";

type Inside = ComponentType<{ user: User }>;

/** What a signed-in user sees; its code may still have to be loaded. */
export function LazyInside({ code, user }: { code: Lazy<Inside>; user: User }) {
  useEffect(() => void code.load(), [code]);
  const View = code.value.value;
  return View ? <View user={user} /> : <Frame>{code.failed.value ? <NoCode /> : <Loading />}</Frame>;
}
