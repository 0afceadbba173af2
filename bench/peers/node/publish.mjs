// The publisher: like bench/publish.py, with the Redis emitter.
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { Emitter } from "@socket.io/redis-emitter";
import { createClient } from "redis";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const order = JSON.parse((await lines.next()).value);
const redis = createClient({ url: process.env.REDIS_URL });
await redis.connect();
const emitter = new Emitter(redis);

function event(stream, sequence) {
  const made = {
    stream,
    task_id: stream.slice("task:".length),
    sequence,
    timestamp: new Date().toISOString().replace("Z", "000Z"),
    level: "INFO",
    message: "",
    component: "bench",
    phase: "load",
  };
  made.message = `event ${sequence} `.padEnd(order.payload - JSON.stringify(made).length, "x");
  return made;
}

console.log("ready");
await lines.next();
const start = performance.now();
const total = order.events * order.streams.length;
const times = new BigInt64Array(total);
let done = 0;
while (done < total) {
  const elapsed = (performance.now() - start) / 1000;
  if (elapsed >= order.limit) break;
  if (elapsed < done / order.rate) {
    await sleep((done / order.rate - elapsed) * 1000);
    continue;
  }
  const row = done % order.streams.length;
  const n = Math.floor(done / order.streams.length);
  const [stream, last] = order.streams[row];
  times[row * order.events + n] = process.hrtime.bigint(); // CLOCK_MONOTONIC, like Python's
  emitter.to(stream).emit("log", event(stream, last + 1 + n));
  done++;
}
await redis.close();
for (const kind of ["called", "committed"]) writeFileSync(`${order.out}.${kind}`, new Uint8Array(times.buffer));
process.exit(0);
