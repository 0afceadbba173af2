import { Link } from "./link";
import { Sign } from "./sign";

/** The name of the product with its sign, in the header of each page. */
export const Brand = () => (
  <Link to="/" class="brand">
    <Sign />
    Taskroom
  </Link>
);
