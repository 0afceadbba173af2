/** The shape of a run page while nothing is known of the run; a page that is there at once does not show it. */
export const RunSkeleton = () => (
  <main class="run-page late" aria-busy="true">
    <p class="hidden-text" role="status">
      Loading this run.
    </p>
    <header class="head" aria-hidden="true">
      <i class="bone wide" />
      <i class="bone bar-bone" />
      <i class="bone" />
    </header>
    <aside class="side" aria-hidden="true">
      {[0, 1, 2, 3].map((line) => (
        <i key={line} class="bone" />
      ))}
    </aside>
    <section class="panels" aria-hidden="true" />
  </main>
);
