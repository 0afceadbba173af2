/** The shape of a run page before its run is loaded. CSS delays it, so that it does not flash. */
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
