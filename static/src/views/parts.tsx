export { Action } from "./action";
export { Link } from "./link";
export { Shell } from "./shell";
