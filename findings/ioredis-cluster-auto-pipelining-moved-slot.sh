#!/usr/bin/env bash
# One would guess: when a slot moves to another node, ioredis's Cluster client follows the MOVED answer, as it does for
# every single command, also when `enableAutoPipelining` sends several commands together.
# What happens: a command for the moved slot that is sent in the same turn as a command for a slot that stayed rejects
# with `MOVED …`. The client does not follow it and does not refresh its table, so this goes on for as long as the two
# are sent together. The pipeline looks only at an error that all its commands share. The same holds for `pipeline()`.
# Seen with ioredis 6.0.0 and redis-server 7.0.15.
# For users: with automatic pipelining, ordinary commands fail after each resharding until one happens to be sent alone
# or among moved ones only. Setting `slotsRefreshInterval` (off by default) ends it, which the second client shows.
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
import { Cluster } from 'ioredis';

setTimeout(() => assert.fail('not finished within two minutes'), 120_000).unref();
const nodes = [{ host: '127.0.0.1', port: Number(process.env.A) }];
const plain = new Cluster(nodes, { enableAutoPipelining: true });
const refreshing = new Cluster(nodes, { enableAutoPipelining: true, slotsRefreshInterval: 500 });
await Promise.all([once(plain, 'ready'), once(refreshing, 'ready')]);

async function together(client) {
  const answers = await Promise.allSettled([client.set('stays', '1'), client.set('news', '2')]);
  return answers.map((answer) => answer.value ?? answer.reason.message.split(' ')[0]);
}
console.log('before the move:          ', await together(plain));
execFileSync('bash', ['move.sh'], { stdio: 'ignore' });
const after = [];
for (let round = 1; round <= 4; round += 1) {
  await wait(1_000);
  after.push(await together(plain));
  console.log(`${round} s after the move:       `, after.at(-1));
}
const alone = await plain.set('news', '3');
console.log('the same command, alone:  ', alone);
const refreshed = await together(refreshing);
console.log('slotsRefreshInterval: 500:', refreshed);

for (const answers of after) assert.deepEqual(answers, ['OK', 'MOVED'], 'changed: the client follows the moved slot');
assert.equal(alone, 'OK', 'changed: alone it fails too');
assert.deepEqual(refreshed, ['OK', 'OK'], 'changed: slotsRefreshInterval no longer ends it');
console.log('As described.');
process.exit(0);
NODE
