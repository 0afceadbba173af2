import type { ComponentChildren } from "preact";
import { Brand } from "./brand";

/** The frame of a page whose code is still loaded, or before it is known who looks. */
export const Frame = ({ children }: { children: ComponentChildren }) => (
  <>
    <header class="top">
      <Brand />
    </header>
    {children}
  </>
);
