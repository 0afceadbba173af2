/** The sign of the product, a bar of three phases. */
export const Sign = () => (
  <svg viewBox="0 0 20 6" aria-hidden="true">
    <rect width="8" height="6" rx="2" fill="var(--accent)" />
    <rect x="9" width="5" height="6" rx="1" fill="var(--run-bar)" />
    <rect x="15" width="5" height="6" rx="2" fill="var(--track)" />
  </svg>
);
