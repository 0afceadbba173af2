// At random moments takes a snapshot and joins with its sequence, each on a socket of its own; prints, for each
// moment, [snapshot, sequences seen, the events that change the state] once the stream has ended.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../static/package.json", import.meta.url));
const { io } = require("socket.io-client");

const [url, token, task_id, moments, spread] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };

async function moment(delay) {
  await new Promise((resolve) => setTimeout(resolve, delay));
  const answer = await fetch(`${url}/api/v2/tasks/${task_id}/status`, { headers });
  if (!answer.ok) throw new Error(`snapshot: ${answer.status}`);
  const snapshot = await answer.json();
  const socket = io(url, { auth: { token }, transports: ["websocket"], forceNew: true });
  const sequences = [];
  const changes = [];
  socket.onAny((type, data) => {
    if (!data.sequence) return;
    sequences.push(data.sequence);
    if (type !== "log") changes.push({ type, ...data });
  });
  await new Promise((resolve, reject) => {
    socket.on("end", resolve);
    socket.on("connect_error", reject);
    socket.on("connect", () =>
      socket.emit("join_task", { task_id, since_sequence: snapshot.sequence }, (ack) => {
        if (!ack.ok) reject(new Error(`join: ${JSON.stringify(ack)}`));
      }),
    );
  });
  socket.disconnect();
  process.stdout.write(JSON.stringify([snapshot, sequences, changes]) + "\n");
}

await Promise.all(Array.from({ length: Number(moments) }, () => moment(Math.random() * Number(spread))));
process.stdout.write("", () => process.exit(0)); // not before the pipe has taken everything
