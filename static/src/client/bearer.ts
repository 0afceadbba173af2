import { Access } from "./access";
import { Problem } from "./http";

/** Access with tokens from elsewhere, such as the identity provider of the page that this is a part of. */
export class Bearer extends Access {
  signedIn: boolean | null = null;

  /** `renew` takes the first token. `source` is asked then, and again whenever the server takes the last one no longer; null: the
   * user is signed out. */
  constructor(
    private readonly source: () => Promise<string | null> | string | null,
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
    this.token = null;
    this.signedIn = false;
    this.changed();
  }
}
