#!/usr/bin/env bash
# One would guess: when a node is taken out of a Redis Cluster properly (its slots moved away, then `redis-cli --cluster
# del-node`), ioredis's Cluster client learns of it and stops using the node.
# What happens: del-node leaves the node's process running, alone. The client keeps its connection, and `PUBLISH`,
# which may go to any node, is sent there every second time or so: the promise resolves, nobody receives the message,
# there is no event, and `nodes()` still lists the node.
# Seen with ioredis 6.0.0 and redis-server 7.0.15.
# For users: classic pub/sub through Cluster loses messages after a scale-in until the process restarts. Setting
# `slotsRefreshInterval` (off by default) mends it, which the second half of this script shows.
set -euo pipefail
command -v redis-server >/dev/null || { echo 'redis-server has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ioredis@6.0.0 >/dev/null || exit 2
echo "ioredis 6.0.0, redis-server $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'), Node.js $(node --version)"

# Two nodes: A owns all slots but ten, B owns those ten.
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
redis-cli -p "$A" cluster addslotsrange 0 16373 >/dev/null
redis-cli -p "$B" cluster addslotsrange 16374 16383 >/dev/null
redis-cli -p "$A" cluster meet 127.0.0.1 "$B" "$busB" >/dev/null
for port in "$A" "$B"; do until redis-cli -p "$port" cluster info | grep -q 'cluster_state:ok'; do sleep 0.1; done; done
idA=$(redis-cli -p "$A" cluster myid)
idB=$(redis-cli -p "$B" cluster myid)

cat >remove.sh <<REMOVE
redis-cli --cluster reshard 127.0.0.1:$A --cluster-from $idB --cluster-to $idA --cluster-slots 10 --cluster-yes
until redis-cli --cluster check 127.0.0.1:$A | grep -q 'All nodes agree'; do sleep 0.1; done
redis-cli --cluster del-node 127.0.0.1:$A $idB
REMOVE

A=$A B=$B node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';

setTimeout(() => assert.fail('not finished within two minutes'), 120_000).unref();
const { A, B } = process.env;
const subscriber = new Redis(Number(A));
let received = 0;
subscriber.on('message', () => (received += 1));
await subscriber.subscribe('news');

const nodes = [{ host: '127.0.0.1', port: Number(A) }];
const plain = new Cluster(nodes);
const refreshing = new Cluster(nodes, { slotsRefreshInterval: 500 });
await Promise.all([once(plain, 'ready'), once(refreshing, 'ready')]);
const events = [];
for (const name of ['-node', 'node error', 'error', 'close', 'end', 'reconnecting']) {
  plain.on(name, () => events.push(name));
}

execFileSync('bash', ['remove.sh']);
await wait(5_000);

async function publish(name, client) {
  received = 0;
  let resolved = 0;
  for (let i = 0; i < 300; i += 1) resolved += await client.publish('news', 'x').then(() => 1, () => 0);
  await subscriber.ping();
  const listed = client.nodes().some((node) => String(node.options.port) === B);
  console.log(`${name}: of 300 PUBLISH ${resolved} resolved and ${received} arrived; nodes() lists it: ${listed}`);
  return { resolved, lost: 300 - received, listed };
}
const first = await publish('by default', plain);
const second = await publish('slotsRefreshInterval: 500', refreshing);
console.log(`events of the default client since the removal: ${events.length === 0 ? 'none' : events.join(', ')}`);

assert.equal(first.resolved, 300, 'changed: PUBLISH no longer resolves');
assert.ok(first.lost > 0 && first.listed && events.length === 0, 'changed: the client has noticed the removal');
assert.ok(second.lost === 0 && !second.listed, 'changed: slotsRefreshInterval no longer mends it');
console.log('As described.');
process.exit(0);
NODE
