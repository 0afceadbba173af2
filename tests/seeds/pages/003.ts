import { h, render } from "preact";
import { useNotificationSSE } from "../clients/003";

const heard: unknown[] = [];

function Bell() {
  useNotificationSSE();
  return null;
}

Object.assign(window, {
  heard,
  toast: (title: string, options: { type: string }) => heard.push(["toast", title, options.type]),
  mount: (token: string) => {
    Object.assign(window, { token });
    render(h(Bell, null), document.body);
  },
  unmount: () => render(null, document.body),
});
