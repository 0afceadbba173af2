// The page-load code that older front ends have, unchanged between the two marks; around it only what a browser
// would have given it: fetch with the session, a connected socket, and handlers that print what they are handed.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../static/package.json", import.meta.url));
const { io } = require("socket.io-client");

const [url, token, id] = process.argv.slice(2);
const print = (what, data) => process.stdout.write(JSON.stringify([what, data]) + "\n");
const browserFetch = globalThis.fetch;
const fetch = (path) =>
  browserFetch(url + path.replace("abc123", id), { headers: { Authorization: `Bearer ${token}` } });
const connected = io(url, { auth: { token }, transports: ["websocket"] });
const socket = {
  emit: (event, data) => connected.emit(event, { ...data, task_id: data.task_id.replace("abc123", id) }),
  on: (event, handler) => connected.on(event, handler),
};
const renderTaskStatus = (status) => print("status", status);
const populateLiveLogs = (logs) => print("logs", logs);
const handlePhaseUpdate = (data) => print("phase_update", data);
const handleNewLog = (data) => print("log", data);
connected.on("task_status", (data) => print("task_status", data));
await new Promise((resolve) => connected.on("connect", resolve));

// --- unchanged from here
// 1. On page load: Get initial snapshot via REST
const taskStatus = await fetch('/api/v2/tasks/abc123/status').then(r => r.json());
const initialLogs = await fetch('/api/v2/tasks/abc123/logs?limit=50').then(r => r.json());

// 2. Render initial state
renderTaskStatus(taskStatus);
populateLiveLogs(initialLogs.logs);

// 3. Subscribe to real-time updates
socket.emit('join_task', { task_id: 'abc123' });
socket.on('phase_update', handlePhaseUpdate);
socket.on('log', handleNewLog);
// --- to here
