import type { Access } from "./access";
import type { Delivery, NewWebhook, NoticeChoices, TrailPage, TrailQuery, Webhook, WebhookBody } from "./account";

const BASE = "/api/v2";

/** The REST calls of the pages of settings and of the trail, one method each. All throw Problem. */
export class AccountApi {
  constructor(private readonly session: Access) {}

  /** Newest first. */
  trail(filter: TrailQuery, limit: number, cursor?: string): Promise<TrailPage> {
    return this.get(`/trail?${query({ ...filter, limit: String(limit), cursor })}`);
  }

  choices(): Promise<NoticeChoices> {
    return this.get("/notifications/choices");
  }

  choose(choices: NoticeChoices): Promise<NoticeChoices> {
    return this.session.call("PUT", `${BASE}/notifications/choices`, choices);
  }

  /** Oldest first. */
  webhooks(): Promise<Webhook[]> {
    return this.get<{ webhooks: Webhook[] }>("/webhooks").then((answer) => answer.webhooks);
  }

  makeWebhook(body: WebhookBody): Promise<NewWebhook> {
    return this.session.call("POST", `${BASE}/webhooks`, body);
  }

  removeWebhook(id: string): Promise<void> {
    return this.session.call("DELETE", `${BASE}${webhook(id)}`);
  }

  enableWebhook(id: string, enabled: boolean): Promise<Webhook> {
    return this.session.call("POST", `${BASE}${webhook(id)}/${enabled ? "enable" : "disable"}`);
  }

  /** Sends a test. */
  pingWebhook(id: string): Promise<void> {
    return this.session.call("POST", `${BASE}${webhook(id)}/ping`);
  }

  /** Newest first. */
  deliveries(id: string, limit: number): Promise<Delivery[]> {
    return this.get<{ deliveries: Delivery[] }>(`${webhook(id)}/deliveries?limit=${limit}`).then((answer) => answer.deliveries);
  }

  private get<T>(path: string): Promise<T> {
    return this.session.call<T>("GET", BASE + path);
  }
}

const webhook = (id: string): string => `/webhooks/${encodeURIComponent(id)}`;

/** Returns the address of the trail as a file, for a link. The file has what bulk actions did to each run. */
export const trailDownload = (filter: TrailQuery): string => `${BASE}/trail/export?${query({ ...filter, folded: undefined })}`;

function query(values: Record<string, string | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value) search.set(name, value);
  return search.toString();
}
