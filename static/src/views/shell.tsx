import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { User } from "../client/types";
import { signedIn } from "../state/session";
import "../style/drop.css";
import { Bell } from "./bell";
import { Brand } from "./brand";
import { ConnectionState } from "./connection";
import { UserMenu } from "./menu";
import { PageBar, PageLinks } from "./page-links";
import { RunSearch } from "./run-search";

/** Puts the focus on the content of the page. */
export function focusContent(): void {
  const main = document.querySelector("main");
  main?.setAttribute("tabindex", "-1");
  main?.focus({ preventScroll: true });
}

/** A link to the content. It has no `#` address, because those belong to the pages. */
function Skip() {
  const skip = (event: MouseEvent): void => {
    event.preventDefault();
    focusContent();
  };
  return (
    <a class="skip" href="#" onClick={skip}>
      Skip to content
    </a>
  );
}

/** The frame of every page: the header and the page below it. */
export function Shell({ children }: { children: ComponentChildren }) {
  const state = signedIn.value;
  // After the session has ended the header keeps its user until somebody signs in again.
  const user = useRef<User | null>(null);
  if (state.kind === "in") user.current = state.user;
  return (
    <>
      <header class="top">
        <Skip />
        <Brand />
        {user.current && (
          <>
            <PageLinks />
            <RunSearch />
            <ConnectionState />
            <Bell />
            <UserMenu user={user.current} />
          </>
        )}
      </header>
      {children}
      {user.current && <PageBar />}
    </>
  );
}
