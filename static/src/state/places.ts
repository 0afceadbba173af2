import { JOBS_ADDRESS, KEYS_ADDRESS, NOTICES_ADDRESS, TRAIL_ADDRESS, WEBHOOKS_ADDRESS, WORKERS_ADDRESS } from "./routes";

/** A page that a user may go to from everywhere. */
interface Place {
  name: string;
  to: string;
  keys: string;
}

/** The pages beside those of single runs and jobs: the shortcuts and the palette lead there. */
export const PLACES: readonly Place[] = [
  { name: "All runs", to: "/", keys: "g r" },
  { name: "Jobs", to: JOBS_ADDRESS, keys: "g j" },
  { name: "Workers", to: WORKERS_ADDRESS, keys: "g w" },
  { name: "API keys", to: KEYS_ADDRESS, keys: "g k" },
  { name: "Notification settings", to: NOTICES_ADDRESS, keys: "g n" },
  { name: "Webhooks", to: WEBHOOKS_ADDRESS, keys: "g h" },
  { name: "Trail", to: TRAIL_ADDRESS, keys: "g t" },
];
