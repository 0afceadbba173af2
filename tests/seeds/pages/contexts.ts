// The application around the hook: who is signed in, and where notifications go.
type Page = { entries: unknown[]; token: string };
const page = window as unknown as Page;

const context = {
  addNotification: (notification: unknown) => page.entries.push(["notification", notification]),
  updateUnreadCount: () => undefined,
};

export const useAuth = () => ({ token: page.token });
export const useNotificationContext = () => context;
