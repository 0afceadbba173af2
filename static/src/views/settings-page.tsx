import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import type { User } from "../client/types";
import { KEYS_ADDRESS, NOTICES_ADDRESS, WEBHOOKS_ADDRESS } from "../state/routes";
import "../style/settings-page.css";
import { KeysSettings } from "./keys-settings";
import { Link } from "./link";
import { NoticeSettings } from "./notice-settings";
import { Shell } from "./shell";
import { WebhookSettings } from "./webhook-settings";

const PARTS: Record<string, { to: string; name: string; Part: ComponentType<{ user: User }> }> = {
  keys: { to: KEYS_ADDRESS, name: "API keys", Part: KeysSettings },
  notifications: { to: NOTICES_ADDRESS, name: "Notifications", Part: NoticeSettings },
  webhooks: { to: WEBHOOKS_ADDRESS, name: "Webhooks", Part: WebhookSettings },
};

/** The settings that the server keeps for the user, a part at an address. */
export function SettingsPage({ user, id }: { user: User; id: string }) {
  const part = PARTS[id];
  const name = part?.name ?? "Settings";
  useEffect(() => {
    document.title = `${name} · Taskroom`;
  }, [name]);
  return (
    <Shell>
      <main class="page settings-page">
        <h1>{name}</h1>
        <nav class="parts" aria-label="Settings">
          {Object.entries(PARTS).map(([key, { to, name }]) => (
            <Link key={key} to={to} aria-current={key === id ? "page" : undefined}>
              {name}
            </Link>
          ))}
        </nav>
        {part && <part.Part user={user} />}
      </main>
    </Shell>
  );
}
