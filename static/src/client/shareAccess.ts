import { Access } from "./access";
import { outputDownload } from "./api";
import { load } from "./http";
import { Problem } from "./problem";

/** Access with a share token, which reads one run and its children. The token cannot be renewed: `signedIn` is false once
 * the share has ended. */
export class ShareAccess extends Access {
  signedIn: boolean | null = true;
  override readonly credentials = "omit";
  override readonly idleRoom: string;

  constructor(
    token: string,
    private readonly taskId: string,
    base = "",
  ) {
    super(base);
    this.token = token;
    this.idleRoom = `task:${taskId}@latest`;
  }

  /** Returns an output of the run, or of a task below it: a link to it would lack the token. Throws Problem. */
  async output(taskId: string, name: string): Promise<Blob> {
    try {
      return await load(this.base + outputDownload(taskId, name), { Authorization: `Bearer ${this.token}` }, this.credentials);
    } catch (error) {
      if (Problem.of(error).status === 401) await this.renew();
      throw error;
    }
  }

  /** Asks the server whether the share goes on: a socket is refused for other reasons too. */
  protected async take(): Promise<void> {
    const path = `/api/v2/tasks/${encodeURIComponent(this.taskId)}/logs?limit=1`;
    await this.send("GET", path, undefined, { Authorization: `Bearer ${this.token}` });
  }

  protected end(): void {
    clearTimeout(this.timer);
    this.signedIn = false;
    this.changed();
  }
}
