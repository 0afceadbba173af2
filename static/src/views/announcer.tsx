import { announced } from "../state/announce";

/** The one polite live region of the page. */
export const Announcer = () => (
  <div class="hidden-text" role="status" aria-live="polite">
    {announced}
  </div>
);
