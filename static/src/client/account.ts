/** Who did what, what a user wants to be told, and webhooks, as the server sends them. */

export interface TrailEntry {
  id: string;
  at: string;
  /** Of refusals: when the last one was. */
  last_at: string | null;
  /** How many refusals, or how many runs a bulk action changed; 1 of a deed. */
  number: number;
  action: string;
  /** "ok", or why it was refused. */
  outcome: string;
  user_id: string | null;
  user_name: string | null;
  key_id: string | null;
  key_name: string | null;
  address: string | null;
  kind: string;
  target: string | null;
  title: string;
  owner_id: string | null;
  owner: string | null;
  tenant: string | null;
  note: string;
  /** The run of the bulk action that it is, or that it belongs to. */
  bulk_id: string | null;
  /** Of a bulk action: how many runs it was not allowed to change. */
  refused: number;
}

export interface TrailPage {
  entries: TrailEntry[];
  /** The cursor of the older page. */
  next: string | null;
}

export interface TrailQuery {
  action?: string | undefined;
  who?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  q?: string | undefined;
  /** The id of an account: only what others did to what it owns. */
  owner?: string | undefined;
  /** Only what this bulk action did to each run. */
  bulk?: string | undefined;
  /** "true": without what bulk actions did to each run. */
  folded?: string | undefined;
}

export const CHOICES = ["all", "failures", "approvals", "none"] as const;
export type NoticeChoice = (typeof CHOICES)[number];

export interface NoticeChoices {
  default: NoticeChoice;
  job_types: Record<string, NoticeChoice>;
}

export interface Webhook {
  id: string;
  url: string;
  event_types: string[];
  scope: "user" | "tenant";
  enabled: boolean;
  /** In a row until now. */
  failures: number;
  disabled_at: string | null;
  created_at: string;
}

/** The answer to the call that made it: no later one has the secret. */
export interface NewWebhook extends Webhook {
  secret: string;
}

export interface WebhookBody {
  url: string;
  event_types: readonly string[];
  scope: Webhook["scope"];
}

export interface Delivery {
  id: string;
  event_type: string;
  status: "pending" | "delivered" | "failed";
  created_at: string;
  next_try_at: string | null;
  tries: number;
  attempts: { number: number; at: string; duration_ms: number; status_code: number | null; error: string | null; response: string | null }[];
}
