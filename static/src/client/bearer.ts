import { Access } from "./access";
import { Problem } from "./http";

/** Asked for an access token at first, and again when the server takes the last one no longer; null: signed out. */
export type TokenSource = () => Promise<string | null> | string | null;

/** Access with tokens from elsewhere, such as the identity provider of the page that this is a part of. */
export class Bearer extends Access {
  signedIn: boolean | null = null;

  constructor(
    private readonly source: TokenSource,
    base = "",
  ) {
    super(base);
  }

  protected async take(): Promise<void> {
    const token = await this.source();
    if (token === null) throw new Problem(401, "Signed out");
    this.token = token;
    this.signedIn = true;
    this.changed();
  }

  protected end(): void {
    clearTimeout(this.timer);
    this.token = null;
    this.signedIn = false;
    this.changed();
  }
}
