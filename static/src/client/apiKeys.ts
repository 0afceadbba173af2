export const SCOPES = ["report", "read", "start", "act"] as const;
export type Scope = (typeof SCOPES)[number];

/** An API key without the key itself; `prefix` are its first characters. */
export interface ApiKey {
  id: string;
  name: string;
  prefix: string;
  scopes: Scope[];
  tenant: string | null;
  /** The e-mail address of its account. */
  owner: string;
  created_at: string;
  expires_at: string | null;
  /** To the minute. */
  last_used_at: string | null;
}

/** The answer to the call that made it: no later one has the key. */
export interface NewApiKey extends ApiKey {
  key: string;
}

export interface ApiKeyPage {
  keys: ApiKey[];
  /** The cursor of the older page. */
  next: string | null;
}
