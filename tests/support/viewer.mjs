// The official Socket.IO client with the transports it is given: joins a task's room and prints each event as a line
// [type, payload], and the transport with the Engine.IO session id as ["transport", …] at each connect and upgrade.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(new URL("../../static/package.json", import.meta.url));
const { io } = require("socket.io-client");

const [url, token, task_id, since, transports] = process.argv.slice(2);
let last = JSON.parse(since);
const socket = io(url, {
  auth: { token },
  transports: transports.split(","),
  reconnectionDelay: 50,
  reconnectionDelayMax: 200,
});
const print = (type, data) => process.stdout.write(JSON.stringify([type, data]) + "\n");

socket.io.on("open", () => {
  const engine = socket.io.engine;
  const tell = () => print("transport", { name: engine.transport.name, sid: engine.id });
  tell();
  engine.once("upgrade", tell);
});

socket.on("connect", () => {
  const join = last === null ? { task_id } : { task_id, since_sequence: last };
  socket.emit("join_task", join, (ack) => print("joined", { ...ack, sequence: 0, at: ack.sequence }));
});
socket.onAny((type, data) => {
  if (data.sequence) last = data.sequence;
  print(type, data);
});
createInterface({ input: process.stdin }).on("line", () => socket.io.engine.transport.ws.terminate());
