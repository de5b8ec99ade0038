#!/usr/bin/env bash
# One would guess: when the slot of a sharded channel moves to another node, an ioredis `Redis` client that has used
# SSUBSCRIBE there hears of it: an error, a close, or at least a `sunsubscribe` event.
# What happens: Redis ends the subscription and tells the connection so, but ioredis passes on no documented event. The
# client stays `ready` and hears nothing any more. There is only `moved`, an event that the README does not name and
# that does not say which channel it is about. Subscribing again on the same connection answers MOVED.
# Seen with ioredis 6.0.0 and redis-server 7.0.15.
# For users: sharded pub/sub needs `Cluster` with `shardedSubscribers: true`, which moves the subscription by itself
# (the second half shows it), or has to listen for `moved` and open another connection.
set -euo pipefail
command -v redis-server >/dev/null || { echo 'redis-server has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ioredis@6.0.0 >/dev/null || exit 2
echo "ioredis 6.0.0, redis-server $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'), Node.js $(node --version)"

# Two nodes: A owns nearly all slots, B the rest.
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
redis-cli -p "$A" cluster addslotsrange 0 16000 >/dev/null
redis-cli -p "$B" cluster addslotsrange 16001 16383 >/dev/null
redis-cli -p "$A" cluster meet 127.0.0.1 "$B" "$busB" >/dev/null
for port in "$A" "$B"; do until redis-cli -p "$port" cluster info | grep -q 'cluster_state:ok'; do sleep 0.1; done; done
idA=$(redis-cli -p "$A" cluster myid)
idB=$(redis-cli -p "$B" cluster myid)
# Moves the slot of the key `news`, which is empty then, from A to B.
slot=$(redis-cli -p "$A" cluster keyslot news)
cat >move.sh <<MOVE
redis-cli -p $A del news
redis-cli -p $B cluster setslot $slot importing $idA
redis-cli -p $A cluster setslot $slot migrating $idB
redis-cli -p $B cluster setslot $slot node $idB
redis-cli -p $A cluster setslot $slot node $idB
MOVE

A=$A node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';

setTimeout(() => assert.fail('not finished within two minutes'), 120_000).unref();
const port = Number(process.env.A);
const nodes = [{ host: '127.0.0.1', port }];
const single = new Redis(port);
const sharded = new Cluster(nodes, { shardedSubscribers: true });
const publisher = new Cluster(nodes);
const heard = { single: 0, sharded: 0 };
single.on('smessage', () => (heard.single += 1));
sharded.on('smessage', () => (heard.sharded += 1));
await Promise.all([once(sharded, 'ready'), once(publisher, 'ready')]);
await single.ssubscribe('news');
await sharded.ssubscribe('news');

// Every event of the single client, whatever its name, from here on.
const events = new Set();
const emit = single.emit.bind(single);
single.emit = (name, ...values) => events.add(name) && emit(name, ...values);

async function publish() {
  heard.single = heard.sharded = 0;
  for (let i = 0; i < 5; i += 1) await publisher.spublish('news', 'x');
  await wait(1_000);
  return { ...heard };
}
const before = await publish();
events.clear();
execFileSync('bash', ['move.sh'], { stdio: 'ignore' });
await wait(3_000);
const after = await publish();
console.log('of five messages before the move:', before);
console.log('of five messages after the move: ', after);
console.log(`the single client is "${single.status}"; its events since: ${[...events].join(', ') || 'none'}`);
const again = await single.ssubscribe('news').then(() => 'works', (error) => error.message.split(' ')[0]);
console.log(`SSUBSCRIBE again on the same connection: ${again}`);

assert.deepEqual(before, { single: 5, sharded: 5 });
assert.deepEqual(after, { single: 0, sharded: 5 }, 'changed: who hears what after the move');
assert.deepEqual([single.status, [...events], again], ['ready', ['moved'], 'MOVED'], 'changed: the client says more');
console.log('As described.');
process.exit(0);
NODE
