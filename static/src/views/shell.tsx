import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { User } from "../client/types";
import { address, signedIn } from "../state/app";
import { Bell } from "./bell";
import { ConnectionState } from "./connection";
import { Link } from "./link";
import { UserMenu } from "./menu";
import { Search } from "./run-search";

/** Puts the focus on what the page is about. */
export function focusContent(): void {
  const main = document.querySelector("main");
  main?.setAttribute("tabindex", "-1");
  main?.focus({ preventScroll: true });
}

/** No `#` address: those belong to the pages. */
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

/** The frame of every page: one line on top, the connection always in the same place. */
export function Shell({ children }: { children: ComponentChildren }) {
  const state = signedIn.value;
  // Who was signed out by the server stays until it is clear who comes next.
  const user = useRef<User | null>(null);
  if (state.kind === "in") user.current = state.user;
  // The list has a field of its own, which narrows it as one types.
  const onList = address.value.split("?")[0] === "/";
  return (
    <>
      <header class="top">
        <Skip />
        <Link to="/" class="brand">
          Taskroom
        </Link>
        {user.current && (
          <>
            {!onList && <Search />}
            <ConnectionState />
            <Bell />
            <UserMenu user={user.current} />
          </>
        )}
      </header>
      {children}
    </>
  );
}
