import { useMemo, useRef } from "preact/hooks";
import type { Notification } from "../client/types";
import { announce } from "../state/announce";
import { acknowledge, notifications } from "../state/bell";
import { isUnread, shown } from "../state/inbox";
import { EVERYWHERE, useShortcuts } from "../state/keys";
import { questionOf } from "../state/notification-approval";
import { targetOf } from "../state/notification-target";
import { InboxApproval } from "./inbox-approval";
import { Link } from "./link";
import { SeverityMark } from "./marks";
import { ProblemMessage } from "./problem-message";
import { NOTICES_ADDRESS } from "../state/routes";
import { Time } from "./time";

const PANEL = "notifications";

/** The bell with the number of unread notifications, and the list that it opens. */
export function Bell() {
  const panel = useRef<HTMLDivElement>(null);
  useShortcuts(
    EVERYWHERE,
    useMemo(() => [{ keys: "b", description: "Notifications", run: () => panel.current?.togglePopover() }], []),
  );
  const { unread } = notifications.inbox.value;
  const toggled = (event: Pick<ToggleEvent, "newState">): void => {
    if (event.newState === "open") notifications.show(notifications.filter.value);
    else notifications.close();
  };
  return (
    <>
      <button
        type="button"
        class="quiet bell"
        popovertarget={PANEL}
        aria-label={unread ? `Notifications, ${unread} unread` : "Notifications"}
      >
        <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
          <path
            d="M3.5 11.5h9l-1-1.75V7a3.5 3.5 0 0 0-7 0v2.75zM6.75 13.5h2.5M8 3.25V2"
            fill="none"
            stroke="currentColor"
            stroke-width="1.5"
          />
        </svg>
        <span class="badge number">{unread > 99 ? "99+" : unread || ""}</span>
      </button>
      <div ref={panel} id={PANEL} class="drop inbox" popover="auto" role="dialog" aria-label="Notifications" onToggle={toggled}>
        <Inbox close={() => panel.current?.hidePopover()} />
      </div>
    </>
  );
}

function Inbox({ close }: { close: () => void }) {
  const inbox = notifications.inbox.value;
  const filter = notifications.filter.value;
  const items = shown(inbox, filter);
  const older = inbox.older[filter];
  const problem = notifications.problem.value;
  const readAll = async (): Promise<void> => {
    await notifications.markRead(null);
    if (!notifications.problem.value) announce("All notifications are read");
  };
  return (
    <>
      <div class="drop-head">
        <h2>Notifications</h2>
        <span onClick={close}>
          <Link to={NOTICES_ADDRESS}>Choose</Link>
        </span>
        <label class="tick">
          <input
            type="checkbox"
            autofocus
            checked={filter === "unread"}
            onChange={(event) => notifications.show(event.currentTarget.checked ? "unread" : "all")}
          />
          Unread only
        </label>
        <button type="button" class="plain" disabled={!inbox.unread} onClick={() => void readAll()}>
          Mark all read
        </button>
      </div>
      {problem && <ProblemMessage problem={problem}> The list may be out of date; it is loaded again.</ProblemMessage>}
      {items.length > 0 && (
        <ol>
          {items.map((item) => (
            <Item key={item.id} item={item} unread={isUnread(inbox, item)} close={close} />
          ))}
        </ol>
      )}
      {!items.length && older !== undefined && !older && (
        <p class="empty">{filter === "unread" ? "All are read." : "Nothing yet. Notifications of your runs appear here."}</p>
      )}
      {older === undefined && !problem && !items.length && <p class="empty late">Loading.</p>}
      {older && <Older />}
    </>
  );
}

function Older() {
  return (
    <p class="older">
      <button type="button" disabled={notifications.loading.value} onClick={() => void notifications.loadOlder()}>
        Older
      </button>
    </p>
  );
}

function Item({ item, unread, close }: { item: Notification; unread: boolean; close: () => void }) {
  const question = questionOf(item);
  return (
    <li class={unread ? "unread" : ""}>
      <SeverityMark severity={item.severity} />
      <div>
        <NotificationTitle item={item} opened={close} />
        {item.message && <p>{item.message}</p>}
        {question && <InboxApproval question={question} seen={() => acknowledge(item)} />}
        <Time at={item.created_at} as="relative" focusable />
      </div>
      {unread && (
        <button
          type="button"
          class="quiet"
          title="Mark as read"
          aria-label={`Mark as read: ${item.title}`}
          onClick={() => void acknowledge(item)}
        >
          <i class="dot" />
        </button>
      )}
    </li>
  );
}

/** The title of a notification, with a link to what it is about; a click on it marks it as read. */
export function NotificationTitle({ item, opened }: { item: Notification; opened: () => void }) {
  const target = targetOf(item);
  if (!target) return <strong>{item.title}</strong>;
  const open = (): void => {
    void acknowledge(item);
    opened();
  };
  return (
    <strong onClick={open}>
      {target.here ? (
        <Link to={target.to}>{item.title}</Link>
      ) : (
        <a href={target.to} target="_blank" rel="noopener noreferrer">
          {item.title}
        </a>
      )}
    </strong>
  );
}
