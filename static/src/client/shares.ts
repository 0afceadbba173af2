/** A token that reads one run; `created_by` is an e-mail address. */
export interface Share {
  id: string;
  created_by: string;
  created_at: string;
  expires_at: string;
}

/** `url` is the page of the run, to open or to frame; it has the token, which is shown this once. */
export interface NewShare extends Share {
  token: string;
  url: string;
  embed_url: string;
}

/** The live shares of a run, and the sites that may frame its page. */
export interface ShareList {
  shares: Share[];
  embed_origins: string[];
}
