#!/usr/bin/env bash
# One would guess: while a slot of a Redis Cluster is on its way to another node, a script or a transaction on two keys
# that do not exist yet simply creates them on the new node, as a command with one such key does.
# What happens: it runs on neither. The old node answers ASK because the keys are not there, the new one TRYAGAIN for
# the same reason. ioredis goes to and fro between the two and gives up after 16 redirections (a script) or passes the
# TRYAGAIN on (MULTI). One of the two keys missing is enough. With a single key it works.
# Seen with ioredis 6.0.0 and redis-server 7.0.15.
# For users: what writes two keys with one hash tag, a lock and its owner say, fails for as long as its slot is being
# moved, unless both keys existed before. A retry has to last as long as the move of a slot.
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
slot=$(redis-cli -p "$A" cluster keyslot '{tag}')
redis-cli -p "$A" set '{tag}:old' 1 >/dev/null
redis-cli -p "$B" cluster setslot "$slot" importing "$idA" >/dev/null
redis-cli -p "$A" cluster setslot "$slot" migrating "$idB" >/dev/null

A=$A node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Cluster } from 'ioredis';

setTimeout(() => assert.fail('not finished within two minutes'), 120_000).unref();
const cluster = new Cluster([{ host: '127.0.0.1', port: Number(process.env.A) }]);
await once(cluster, 'ready');
const script = "for _, key in ipairs(KEYS) do redis.call('SET', key, 'x') end return #KEYS";

async function attempt(title, run) {
  const outcome = await run().then((value) => `runs (${value})`, (error) => `fails: ${error.message}`);
  console.log(`${title}: ${outcome}`);
  return outcome;
}
const evaluate = (...keys) => cluster.eval(script, keys.length, ...keys);
const one = await attempt('script, one new key', () => evaluate('{tag}:new1'));
const existing = await attempt('script, one key that exists', () => evaluate('{tag}:old'));
const two = await attempt('script, two new keys', () => evaluate('{tag}:new2', '{tag}:new3'));
const mixed = await attempt('script, one key that exists and one new', () => evaluate('{tag}:old', '{tag}:new4'));
const transaction = () => cluster.multi().set('{tag}:new5', 1).set('{tag}:new6', 1).exec();
const multi = await attempt('MULTI, two new keys', transaction);

assert.equal(one, 'runs (1)', 'changed: one new key fails');
assert.equal(existing, 'runs (1)', 'changed: a key that exists fails');
for (const outcome of [two, mixed, multi]) {
  assert.match(outcome, /^fails: .*(ASK|MOVED|TRYAGAIN)/, 'changed: two keys work');
}
console.log('As described.');
process.exit(0);
NODE
