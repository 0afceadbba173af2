import { useComputed } from "@preact/signals";
import { tickingServerNow } from "../state/clock";
import { ago, clock, exact, minute, moment } from "../state/time";

interface Props {
  at: string;
  as?: "moment" | "minute" | "clock" | "relative";
  class?: string;
  /** Shows the exact time also when the keyboard comes by. Not for a time within a link or a button. */
  focusable?: boolean;
}

/** A time in the zone of the user; the exact time on hover. */
export function Time({ at, as = "moment", focusable, ...rest }: Props) {
  return (
    <time
      dateTime={at}
      title={exact(at)}
      class={`number ${rest.class ?? ""}`}
      data-exact={focusable ? exact(at) : undefined}
      tabIndex={focusable ? 0 : undefined}
    >
      {as === "relative" ? <Ago at={at} /> : as === "clock" ? clock(at) : as === "minute" ? minute(at) : moment(at)}
    </time>
  );
}

/** Is drawn again when its text changes, not each second. */
function Ago({ at }: { at: string }) {
  const text = useComputed(() => ago(at, tickingServerNow()));
  return <>{text}</>;
}
