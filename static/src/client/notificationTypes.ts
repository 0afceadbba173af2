/** What the server sends of the notifications of a user. */

export type Severity = "info" | "success" | "warning" | "error";

/** A notification of the user, or an announcement to all users, which is in no list and never unread. */
export interface Notification {
  id: string;
  /** Of its event. */
  sequence: number;
  /** Given by events only: `user:<id>`, or `broadcast` for an announcement. */
  stream?: string;
  notification_type: string;
  severity: Severity;
  title: string;
  message: string;
  related_type: string | null;
  related_id: string | null;
  action_url: string | null;
  urgent: boolean;
  read: boolean;
  created_at: string;
  /** Of an approval what is asked; of runs the job type. */
  metadata?: Record<string, unknown>;
  /** Given by events about runs only: the id of the run's entry before, whose place this one takes. */
  replaces?: string | null;
  /** Given by the same events: how many are unread then. */
  unread_count?: number;
}

/** Newest first. `unread_count` is as of `sequence` of the user's stream. */
export interface NotificationPage {
  notifications: Notification[];
  next: string | null;
  unread_count: number;
  sequence: number;
}
