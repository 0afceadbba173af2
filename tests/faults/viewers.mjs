// Many viewers over the official Socket.IO client. An input line opens a viewer ({open: number, url, token, task,
// transports}) or closes it ({close: number}). An output line is [number, sequence, type, timestamp, status] for an event,
// or [number, what, detail]. The library reconnects by itself; this file only joins again with the last sequence.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../static/package.json", import.meta.url));
const { io } = require("socket.io-client");

const JOIN_TIMEOUT_MS = 10_000;
const AGAIN_MS = 500;
// The client does not notice a connection that is lost before its first packet; its own timeout is 20 s.
const OPEN_TIMEOUT_MS = 5_000;
const sockets = new Map();
let lines = [];

function print(...fields) {
  if (lines.length === 0) setImmediate(flush); // one write for all events of one read
  lines.push(JSON.stringify(fields));
}

function flush() {
  process.stdout.write(lines.join("\n") + "\n");
  lines = [];
}

function open({ open: number, url, token, task, transports }) {
  let last = 0;
  const backoff = { reconnectionDelay: 100, reconnectionDelayMax: 1_000, timeout: OPEN_TIMEOUT_MS };
  const socket = io(url, { auth: { token }, transports, forceNew: true, ...backoff });
  sockets.set(number, socket);

  const join = () => {
    const connection = socket.id;
    const here = () => socket.connected && socket.id === connection;
    socket.timeout(JOIN_TIMEOUT_MS).emit("join_task", { task_id: task, since_sequence: last }, (late, ack) => {
      if (!here()) return; // the next connection joins by itself
      if (ack?.ok) print(number, "joined", last);
      else if (late || ack.error.status >= 500) setTimeout(() => here() && join(), AGAIN_MS);
      else print(number, "fault", `join refused: ${JSON.stringify(ack.error)}`);
    });
  };
  socket.on("connect", join);
  socket.on("connect_error", (error) => {
    if (!socket.active) print(number, "fault", `refused for good: ${error.message}`);
  });
  socket.on("disconnect", (reason) => {
    if (!socket.active && reason !== "io client disconnect") print(number, "fault", `ended for good: ${reason}`);
  });
  socket.onAny((type, data) => {
    if (data.sequence) {
      last = data.sequence;
      print(number, data.sequence, type, data.timestamp, data.status ?? "");
    } else print(number, type === "resync" ? "fault" : type, JSON.stringify(data));
  });
}

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const order = JSON.parse(line);
    if (order.open !== undefined) return open(order);
    sockets.get(order.close)?.disconnect();
    sockets.delete(order.close);
    print(order.close, "closed", "");
  })
  .on("close", () => process.exit());
