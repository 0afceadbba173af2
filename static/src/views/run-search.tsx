import { openPalette, PALETTE_KEYS } from "../state/palette-keys";

/** The search of the header, which is the palette. */
export const RunSearch = () => (
  <button type="button" class="find" aria-haspopup="dialog" onClick={openPalette}>
    <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
      <circle cx="7" cy="7" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="m10.25 10.25 3.25 3.25" fill="none" stroke="currentColor" stroke-width="1.5" />
    </svg>
    <span>Search or go to</span>
    <kbd aria-hidden="true">{PALETTE_KEYS}</kbd>
  </button>
);
