import "./angular";
import { SseService } from "../clients/000.service";

const service = new SseService();
const entries: unknown[] = [];

const observer = {
  next: (value: unknown) => entries.push(["next", value]),
  error: () => entries.push(["error"]),
  complete: () => entries.push(["complete"]),
};

Object.assign(window, {
  entries,
  watchJob: (id: string) => service.connectToJobProgress(id).subscribe(observer),
  watchNotifications: () => service.connectToNotifications().subscribe(observer),
});
