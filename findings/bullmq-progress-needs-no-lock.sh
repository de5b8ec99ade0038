#!/usr/bin/env bash
# One would guess: `job.updateProgress` is for the worker that has the job. One that has lost its lock (its event loop stood still, or it
# was cut from Redis) is refused there with the error by which its `completed` is refused: `Missing lock for job`.
# What happens: it asks for no lock and no state, just for the job to exist. The report of the worker that has lost it takes the place of
# the newer one, and goes out as a `progress` event, also after `completed` of the other worker; `job.progress` of the completed job is
# then the old worker's figure for good.
# Seen with bullmq 6.7.0 and Redis 7.0.15.
# For users: a progress bar goes backwards while two workers are at a job, and comes to life again after its end. Who shows progress has to
# stop at `completed` and `failed`, and should let figures only grow, or put `job.attemptsStarted` into what it reports.
set -euo pipefail
command -v redis-server >/dev/null || { echo 'redis-server has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
trap 'kill "${pid:-}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" bullmq@6.7.0 ioredis@6.0.0 >/dev/null || exit 2
echo "bullmq 6.7.0, redis-server $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'), Node.js $(node --version)"
port=$(node -e "const s = require('node:net').createServer().listen(0, () => { console.log(s.address().port); s.close(); });")
redis-server --port "$port" --save '' --dir "$dir" >/dev/null &
pid=$!
until redis-cli -p "$port" ping >/dev/null 2>&1; do kill -0 "$pid" || exit 2; sleep 0.1; done

cat >check.mjs <<'JS'
import { Queue, QueueEvents, Worker } from 'bullmq';

const connection = { host: '127.0.0.1', port: Number(process.argv[2]) };
const queue = new Queue('films', { connection });
const events = new QueueEvents('films', { connection });
await events.waitUntilReady();
const told = [];
let completed;
const isCompleted = new Promise((resolve) => (completed = resolve));
events.on('progress', ({ data }) => told.push(`progress ${data}`));
events.on('completed', ({ returnvalue }) => completed(told.push(`completed by the ${returnvalue} worker`)));

// Its lock ends after half a second: it renews none, as a process whose event loop stands still.
let refused;
const isRefused = new Promise((resolve) => (refused = resolve));
const first = new Worker(
  'films',
  async (job) => {
    await job.updateProgress(10);
    await isCompleted;
    await job.updateProgress(20);
    return 'first';
  },
  { connection, lockDuration: 500, skipLockRenewal: true, skipStalledCheck: true },
);
first.on('error', (error) => /lock/.test(error.message) && refused(error.message));
await first.waitUntilReady();
const { id } = await queue.add('film', {});
while (told.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));

const second = new Worker('films', async (job) => (await job.updateProgress(90), 'second'), {
  connection,
  lockDuration: 500,
  stalledInterval: 300,
});
second.on('error', () => {});
const end = await isRefused;
while (told.length < 4) await new Promise((resolve) => setTimeout(resolve, 50));
const job = await queue.getJob(id);
console.log(told.join(', '));
console.log(`the first worker's end: ${end}; the job: ${await job.getState()}, progress ${job.progress}`);
const expected = 'progress 10, progress 90, completed by the second worker, progress 20';
process.exit(told.join(', ') === expected && job.progress === 20 && (await job.getState()) === 'completed' ? 0 : 1);
JS
if timeout 60 node check.mjs "$port"; then
  echo 'As described.'
else
  echo 'It has changed.'
  exit 1
fi
