import type { ComponentChildren } from "preact";
import { signedIn } from "../state/app";
import { Bell } from "./bell";
import { ConnectionState } from "./connection";
import { Link } from "./link";
import { UserMenu } from "./menu";
import { Search } from "./search";

/** Straight to what the page is about. No `#` address: those belong to the pages. */
function Skip() {
  const skip = (event: MouseEvent): void => {
    event.preventDefault();
    const main = document.querySelector("main");
    main?.setAttribute("tabindex", "-1");
    main?.focus();
  };
  return (
    <a class="skip" href="#" onClick={skip}>
      Skip to content
    </a>
  );
}

/** The frame of every page: one line on top, the connection always in the same place. */
export function Shell({ children }: { children: ComponentChildren }) {
  const state = signedIn.value;
  return (
    <>
      <header class="top">
        <Skip />
        <Link to="/" class="brand">
          Taskroom
        </Link>
        {state.kind === "in" && (
          <>
            <Search />
            <ConnectionState />
            <Bell />
            <UserMenu user={state.user} />
          </>
        )}
      </header>
      {children}
    </>
  );
}
