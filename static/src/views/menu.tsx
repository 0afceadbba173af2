import { useRef } from "preact/hooks";
import type { User } from "../client/types";
import { session } from "../state/app";
import { JOBS_ADDRESS, KEYS_ADDRESS, NOTICES_ADDRESS, TRAIL_ADDRESS, WORKERS_ADDRESS } from "../state/routes";
import { Action } from "./action";
import { Link } from "./link";
import { Settings } from "./settings";
import { showShortcuts } from "./shortcuts";

const PANEL = "user-menu";

/** The menu of the user: the settings of this browser, links to those of the account and to the trail, and signing out. */
export function UserMenu({ user }: { user: User }) {
  const panel = useRef<HTMLDivElement>(null);
  const shortcuts = (): void => {
    panel.current?.hidePopover();
    showShortcuts();
  };
  return (
    <>
      <button type="button" class="quiet who" popovertarget={PANEL} aria-label={`${user.email}: settings and sign out`}>
        <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
          <circle cx="8" cy="5.25" r="2.5" fill="none" stroke="currentColor" stroke-width="1.5" />
          <path d="M3 13.5a5 5 0 0 1 10 0" fill="none" stroke="currentColor" stroke-width="1.5" />
        </svg>
        <span>{user.email.split("@")[0]}</span>
      </button>
      <div ref={panel} id={PANEL} class="drop menu" popover="auto" role="dialog" aria-label="Settings and sign out">
        <p class="address">{user.email}</p>
        <Settings />
        <div class="menu-links">
          <button type="button" class="plain" onClick={shortcuts}>
            Shortcuts
          </button>
          <Link to={JOBS_ADDRESS}>Jobs</Link>
          <Link to={WORKERS_ADDRESS}>Workers</Link>
          <Link to={NOTICES_ADDRESS}>Settings</Link>
          <Link to={KEYS_ADDRESS}>API keys</Link>
          <Link to={TRAIL_ADDRESS}>Trail</Link>
          <a href="/api/docs">API docs</a>
          <Action name="Sign out" run={() => session.logout()} />
        </div>
      </div>
    </>
  );
}
