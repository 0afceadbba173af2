import { h, render } from "preact";
import { useNotificationSSE } from "../clients/003";

const entries: unknown[] = [];

function Bell() {
  useNotificationSSE();
  return null;
}

Object.assign(window, {
  entries,
  toast: (title: string, options: { type: string }) => entries.push(["toast", title, options.type]),
  mount: (token: string) => {
    Object.assign(window, { token });
    render(h(Bell, null), document.body);
  },
  unmount: () => render(null, document.body),
});
