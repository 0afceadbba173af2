import "./angular";
import { SseService } from "../clients/000.service";

const service = new SseService();
const heard: unknown[] = [];

const observer = {
  next: (value: unknown) => heard.push(["next", value]),
  error: () => heard.push(["error"]),
  complete: () => heard.push(["complete"]),
};

Object.assign(window, {
  heard,
  watchJob: (id: string) => service.connectToJobProgress(id).subscribe(observer),
  watchNotifications: () => service.connectToNotifications().subscribe(observer),
});
