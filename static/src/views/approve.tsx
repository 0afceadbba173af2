import { Confirm } from "./confirm";

const ASKED = "critical";

interface Props {
  risk: string;
  disabled: boolean;
  run: () => void;
}

/** The button that approves; a critical risk needs a second click. */
export const Approve = ({ risk, disabled, run }: Props) =>
  risk === ASKED ? (
    <Confirm name="Approve…" sure="Approve critical risk" disabled={disabled} run={run} />
  ) : (
    <button type="button" class="primary" disabled={disabled} onClick={run}>
      Approve
    </button>
  );
