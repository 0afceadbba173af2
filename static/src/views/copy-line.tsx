import "../style/copy-line.css";
import { Copy } from "./copy";

/** A text to be used elsewhere, and the button that copies it; `label` names the button. */
export const CopyLine = ({ text, label }: { text: string; label: string }) => (
  <p class="copy-line">
    <code>{text}</code>
    <Copy text={text} label={label}>
      Copy
    </Copy>
  </p>
);
