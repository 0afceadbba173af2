import { Link } from "./link";
import { Shell } from "./shell";

export const NotFound = () => (
  <Shell>
    <main class="page">
      <h1>There is no such page</h1>
      <p>
        <Link to="/">All runs</Link>
      </p>
    </main>
  </Shell>
);
