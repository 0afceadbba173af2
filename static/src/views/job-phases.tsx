import type { PhaseMedian } from "../client/jobStats";
import { quantity } from "../state/format";
import { duration } from "../state/time";

/** How long each phase usually takes. */
export function JobPhases({ phases }: { phases: readonly PhaseMedian[] }) {
  if (phases.length === 0) return null;
  const longest = Math.max(...phases.map(({ median_seconds }) => median_seconds), 1e-3);
  return (
    <section class="job-part" aria-label="Phases">
      <h2>Phases usually take</h2>
      <table class="job-phases">
        <tbody>
          {phases.map(({ phase_id, median_seconds, p95_seconds, runs }) => (
            <tr key={phase_id} title={`The median of ${quantity(runs, "run")} that succeeded; 95 of 100 take at most ${duration(p95_seconds)}`}>
              <th scope="row">{phase_id}</th>
              <td>
                <i style={{ width: `${(100 * median_seconds) / longest}%` }} />
              </td>
              <td class="number">{duration(median_seconds)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
