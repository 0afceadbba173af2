import type { ComponentType } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { Problem } from "../client/problem";
import type { User } from "../client/types";
import { address } from "../state/address";
import { lastJob } from "../state/jobs";
import { EVERYWHERE, useShortcuts } from "../state/keys";
import { Lazy } from "../state/lazy";
import { listenForPalette, openPalette, PALETTE_KEYS, paletteOpen } from "../state/palette-keys";
import { pathOf } from "../state/url";
import { Dialog } from "./dialog";
import { ProblemMessage } from "./problem-message";

interface PaletteProps {
  user: User;
  start: (jobType: string) => void;
  close: () => void;
}

/** The form that the palette opens on any page. */
const form = new Lazy(async () => (await import("./new-run")).NewRun);

/** Opens the command palette on every page, and the form of the job that is chosen in it. */
export function PaletteHost({ user, code }: { user: User; code: Lazy<ComponentType<PaletteProps>> }) {
  const [starting, start] = useState(false);
  const path = pathOf(address.value);
  useEffect(listenForPalette, []);
  // The run that was started has its page.
  useEffect(() => start(false), [path]);
  useShortcuts(
    EVERYWHERE,
    useMemo(
      () => [
        { keys: PALETTE_KEYS, description: "Search or go to", run: openPalette },
        { keys: "/", description: "Search", run: openPalette },
      ],
      [],
    ),
  );
  const close = (): void => {
    paletteOpen.value = false;
  };
  const open = paletteOpen.value;
  useEffect(() => {
    if (open) void code.load();
  }, [open, code]);
  const begin = (jobType: string): void => {
    lastJob.value = jobType;
    void form.load();
    start(true);
  };
  if (open && code.failed.value) return <NoPart close={close} />;
  if (starting && form.failed.value) return <NoPart close={() => start(false)} />;
  const View = code.value.value;
  const Form = form.value.value;
  return (
    <>
      {open && View && <View user={user} start={begin} close={close} />}
      {starting && Form && <Form close={() => start(false)} />}
    </>
  );
}

const NoPart = ({ close }: { close: () => void }) => (
  <Dialog label="Not loaded" close={close}>
    <ProblemMessage problem={new Problem(0, "This part of the page could not be loaded")}> Reload the page when the server answers.</ProblemMessage>{" "}
    <button type="button" onClick={close}>
      Close
    </button>
  </Dialog>
);
