#!/usr/bin/env bash
# One would guess: percentiles of `perf_hooks.monitorEventLoopDelay` tell how long what arrives has to wait for the event loop: if
# a quarter of all messages wait for 45 ms and more, its 75th percentile says so.
# What happens: it takes one sample each time its timer runs. A stall of 100 ms is one sample, and the calm 100 ms beside it are ten
# (of `resolution` 10) or a hundred (of 1). A loop that is blocked for half of the time looks idle at the 75th percentile,
# and with `resolution: 1` at the 90th as well. The finer the resolution, the smaller the stall looks. An idle loop shows `resolution`.
# Seen with Node.js 20.
# For users: an admission limit on p50, p90 or the mean of the histogram opens the door while clients wait. `max` sees the stalls, and
# `performance.eventLoopUtilization()` their share; or send timestamps from a worker thread, as the script does.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo "Node.js $(node --version)"

cat >check.mjs <<'JS'
import assert from 'node:assert/strict';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/** The clock of both threads, in milliseconds. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

const waits = [];
const peer = new Worker(
  `const { parentPort } = require('node:worker_threads');
   setInterval(() => parentPort.postMessage(Number(process.hrtime.bigint()) / 1e6), 3);`,
  { eval: true },
);
await new Promise((resolve) => peer.once('message', resolve));
const fine = monitorEventLoopDelay({ resolution: 1 });
const usual = monitorEventLoopDelay({ resolution: 10 });
fine.enable();
usual.enable();
peer.on('message', (sent) => waits.push(now() - sent));
const before = performance.eventLoopUtilization();
for (const end = now() + 6_000; now() < end; await wait(100)) {
  for (const start = now(); now() - start < 100; );
}
const { utilization } = performance.eventLoopUtilization(before);
await peer.terminate();

waits.sort((a, b) => a - b);
const ofMessages = (share) => waits[Math.floor((waits.length * share) / 100)];
const rows = { 'messages of a peer': ofMessages };
for (const [name, histogram] of [['resolution 10', usual], ['resolution 1', fine]]) {
  rows[name] = (share) => histogram.percentile(share) / 1e6;
}
console.log(`the loop is busy for ${Math.round(utilization * 100)} % of the time, in stalls of 100 ms; waits in ms:`);
for (const [name, of] of Object.entries(rows)) {
  console.log(`${name.padEnd(20)} p50 ${of(50).toFixed(1)}  p75 ${of(75).toFixed(1)}  p90 ${of(90).toFixed(1)}`);
}
assert.ok(ofMessages(75) > 30, 'the machine was too busy for this');
assert.ok(usual.percentile(50) < 20e6, 'p50 shows the stalls now');
assert.ok(fine.percentile(75) < ofMessages(75) * 1e6 / 3, 'the percentiles show the stalls now');
process.exit();
JS
timeout 30 node check.mjs
echo 'As described.'
