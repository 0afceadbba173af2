import { useState } from "preact/hooks";
import { askToNotify, canNotify, desktop } from "../state/desktop";
import { keysOn } from "../state/keys";
import { theme, THEMES } from "../state/theme";
import { canSpeak, speak, voice } from "../state/voice";

const NAMES = { system: "System", light: "Light", dark: "Dark" };

/** The settings of this browser, the same in all its tabs. */
export function Settings() {
  return (
    <div class="settings">
      <fieldset class="themes">
        <legend>Theme</legend>
        {THEMES.map((name) => (
          <label key={name}>
            <input type="radio" name="theme" checked={theme.value === name} onChange={() => (theme.value = name)} />
            {NAMES[name]}
          </label>
        ))}
      </fieldset>
      <DesktopNotifications />
      <Tick
        name="Speak when an artifact is ready"
        on={voice.value === "on"}
        can={canSpeak}
        change={(on) => {
          voice.value = on ? "on" : "off";
          // Browsers allow speech only after a click has started it once.
          if (on) speak("Speech is on");
        }}
      />
      <Tick
        name="Keyboard shortcuts"
        on={keysOn.value === "on"}
        can
        change={(on) => (keysOn.value = on ? "on" : "off")}
      />
    </div>
  );
}

function DesktopNotifications() {
  const [refused, setRefused] = useState(false);
  const change = async (on: boolean): Promise<void> => {
    if (on) setRefused(!(await askToNotify()));
    else desktop.value = "off";
  };
  return (
    <>
      <Tick
        name="Desktop notifications"
        on={desktop.value === "on"}
        can={canNotify}
        change={(on) => void change(on)}
      />
      {refused && <p class="hint">The browser does not allow it. Allow notifications for this site there.</p>}
    </>
  );
}

function Tick(props: { name: string; on: boolean; can: boolean; change: (on: boolean) => void }) {
  return (
    <label class="tick">
      <input
        type="checkbox"
        checked={props.on && props.can}
        disabled={!props.can}
        onChange={(event) => props.change(event.currentTarget.checked)}
      />
      {props.name}
      {!props.can && <p class="hint">This browser cannot do it here.</p>}
    </label>
  );
}
