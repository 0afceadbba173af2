/** The mark of what opens and closes. */
export const Chevron = ({ open }: { open: boolean }) => (
  <svg class="chevron" viewBox="0 0 16 16" aria-hidden="true">
    <path d={open ? "m4 10 4-4 4 4" : "m4 6 4 4 4-4"} fill="none" stroke="currentColor" stroke-width="1.5" />
  </svg>
);
