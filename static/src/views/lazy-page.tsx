import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import type { User } from "../client/types";
import type { Lazy } from "../state/lazy";
import { Loading, NoCode } from "./no-code";
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
  return View ? <View {...props} /> : <Shell>{page.failed.value ? <NoCode /> : <Loading />}</Shell>;
}
