import { Access } from "./access";
import { Problem } from "./problem";

/** Gives an access token: the first one, and another when the server refuses the last; null: signed out. */
export type TokenSource = () => Promise<string | null> | string | null;

/** Access with tokens of another source, such as the identity provider of the embedding page. */
export class Bearer extends Access {
  signedIn: boolean | null = null;
  override readonly credentials = "omit";

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
