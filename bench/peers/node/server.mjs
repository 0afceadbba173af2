// Socket.IO on Node with the Redis adapter, as in its documentation.
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const pub = createClient({ url: process.env.REDIS_URL });
const sub = pub.duplicate();
await Promise.all([pub.connect(), sub.connect()]);

const http = createServer();
const io = new Server(http, { adapter: createAdapter(pub, sub) });
io.on("connection", (socket) => {
  socket.on("join_task", ({ task_id }, ack) => {
    socket.join(`task:${task_id}`);
    ack({ ok: true });
  });
});
http.listen(Number(process.env.PORT), "127.0.0.1");
