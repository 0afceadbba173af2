// Several at once and again and again, at ever later moments of a run: takes a snapshot and joins with its sequence,
// each time on a socket of its own. Says "joined" when all have; prints, for each moment, [snapshot, sequences seen,
// the events that change the state] once the stream has ended.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../static/package.json", import.meta.url));
const { io } = require("socket.io-client");

const [url, token, task_id, atOnce, times] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };

async function status() {
  const answer = await fetch(`${url}/api/v2/tasks/${task_id}/status`, { headers });
  if (!answer.ok) throw new Error(`snapshot: ${answer.status}`);
  return answer.json();
}

async function later(than) {
  for (;;) {
    const snapshot = await status();
    if (snapshot.sequence > than) return snapshot;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Joins; what was seen comes with the end. */
async function join(snapshot) {
  const socket = io(url, { auth: { token }, transports: ["websocket"], forceNew: true });
  const sequences = [];
  const changes = [];
  socket.onAny((type, data) => {
    if (!data.sequence) return;
    sequences.push(data.sequence);
    if (type !== "log") changes.push({ type, ...data });
  });
  const ended = new Promise((resolve) => socket.on("end", resolve));
  await new Promise((resolve, reject) => {
    socket.on("connect_error", reject);
    socket.on("connect", () =>
      socket.emit("join_task", { task_id, since_sequence: snapshot.sequence }, (ack) =>
        ack.ok ? resolve() : reject(new Error(`join: ${JSON.stringify(ack)}`)),
      ),
    );
  });
  return async () => {
    await ended;
    socket.disconnect();
    return [snapshot, sequences, changes];
  };
}

async function againAndAgain() {
  const joined = [];
  let last = -1;
  for (let n = 0; n < Number(times); n++) {
    const snapshot = await later(last);
    last = snapshot.sequence;
    joined.push(await join(snapshot));
  }
  return joined;
}

const all = (await Promise.all(Array.from({ length: Number(atOnce) }, againAndAgain))).flat();
process.stdout.write("joined\n");
for (const seen of all) process.stdout.write(JSON.stringify(await seen()) + "\n");
process.stdout.write("", () => process.exit(0)); // not before the pipe has taken everything
