#!/usr/bin/env bash
# One would guess: `CLUSTER MEET` with the address of a node that is a member already changes nothing, so that a script
# which introduces nodes may be run again (in a container's start, say, or after each change of an inventory).
# What happens: the node that is told to drops its link on the cluster bus to that member and makes another one. What is
# published meanwhile and would have to go over that link is lost, and PUBLISH resolves as ever.
# Seen with redis-server 7.0.15 and ioredis 6.0.0.
# For users: ask `CLUSTER NODES` before `CLUSTER MEET`, or count with messages lost whenever such a script runs.
set -euo pipefail
command -v redis-server >/dev/null || { echo 'redis-server has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ioredis@6.0.0 >/dev/null || exit 2
echo "ioredis 6.0.0, redis-server $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'), Node.js $(node --version)"

# Two nodes: the publisher is at A, the subscriber at B.
read -r A B busA busB < <(node -p '
  const servers = [0, 1, 2, 3].map(() => require("node:net").createServer().listen(0));
  const ports = servers.map((server) => server.address().port);
  servers.forEach((server) => server.close());
  ports.join(" ")')
start() {
  mkdir "$dir/$1"
  redis-server --port "$1" --cluster-enabled yes --cluster-port "$2" --bind 127.0.0.1 \
    --dir "$dir/$1" --save '' >"$1.log" &
  pids+=($!)
  until redis-cli -p "$1" ping >/dev/null 2>&1; do kill -0 $! || exit 2; sleep 0.1; done
}
start "$A" "$busA"
start "$B" "$busB"
redis-cli -p "$A" cluster addslotsrange 0 8191 >/dev/null
redis-cli -p "$B" cluster addslotsrange 8192 16383 >/dev/null
redis-cli -p "$A" cluster meet 127.0.0.1 "$B" "$busB" >/dev/null
for port in "$A" "$B"; do until redis-cli -p "$port" cluster info | grep -q 'cluster_state:ok'; do sleep 0.1; done; done

A=$A B=$B BUS_B=$busB node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';

setTimeout(() => assert.fail('not finished within two minutes'), 120_000).unref();
const publisher = new Redis(Number(process.env.A));
const subscriber = new Redis(Number(process.env.B));
const COUNT = 2_000;
let heard = 0;
subscriber.on('message', () => heard++);
await subscriber.subscribe('news');

/** How many of so many messages are lost while something is done in the midst of them. */
async function lostWhile(work) {
  heard = 0;
  for (let number = 0; number < COUNT; number++) {
    if (number === COUNT / 2) await work();
    await publisher.publish('news', String(number));
    await wait(1);
  }
  await wait(1_000);
  return COUNT - heard;
}
const nodes = async () => (await publisher.cluster('NODES')).trim().split('\n').length;

const undisturbed = await lostWhile(() => publisher.ping());
console.log('undisturbed:                   ', undisturbed, `of ${COUNT} lost`);
const before = await nodes();
const met = await lostWhile(() => publisher.cluster('MEET', '127.0.0.1', process.env.B, process.env.BUS_B));
console.log('CLUSTER MEET of the known node:', met, `of ${COUNT} lost; nodes before and after:`, before, await nodes());
publisher.disconnect();
subscriber.disconnect();

assert.equal(undisturbed, 0, 'changed, or the machine is too busy');
assert.equal(before, 2);
assert.ok(met > 0, 'changed: no message is lost');
NODE
