#!/usr/bin/env bash
# One would guess: a client that found its master through Sentinel follows a planned `SENTINEL FAILOVER` at once; at
# worst a few commands fail.
# What happens: the old master stays up and goes on taking writes until Sentinel makes it a replica, about ten seconds
# later. Until then the client notices nothing: SET answers OK, PUBLISH counts receivers, and all of it is lost when
# the old master takes the new one's data. No command fails and there is no event.
# Seen with ioredis 6.0.0 and redis-server 7.0.15.
# For users: `failoverDetector: true` (off by default) subscribes to the Sentinels and moves the client at once, which
# the second client shows.
set -euo pipefail
command -v redis-server >/dev/null || { echo 'redis-server has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ioredis@6.0.0 >/dev/null || exit 2
echo "ioredis 6.0.0, redis-server $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'), Node.js $(node --version)"

read -r first second sentinel < <(node -p '
  const servers = [0, 1, 2].map(() => require("node:net").createServer().listen(0));
  const ports = servers.map((server) => server.address().port);
  servers.forEach((server) => server.close());
  ports.join(" ")')
start() {
  local port=$1
  shift
  mkdir "$dir/$port"
  touch "$dir/$port/redis.conf"
  redis-server "$dir/$port/redis.conf" --port "$port" --bind 127.0.0.1 --dir "$dir/$port" "$@" >"$dir/$port/log" &
  pids+=($!)
  until redis-cli -p "$port" ping >/dev/null 2>&1; do kill -0 $! || exit 2; sleep 0.1; done
}
start "$first" --save ''
start "$second" --save '' --replicaof 127.0.0.1 "$first" --repl-diskless-sync-delay 0
start "$sentinel" --sentinel monitor group 127.0.0.1 "$first" 1
until redis-cli -p "$sentinel" sentinel replicas group | grep -q "$second"; do sleep 0.1; done
until redis-cli -p "$second" info replication | grep -q 'master_link_status:up'; do sleep 0.1; done

SENTINEL=$sentinel FIRST=$first SECOND=$second node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';

setTimeout(() => assert.fail('not finished within two minutes'), 120_000).unref();
const [sentinelPort, first, second] = [process.env.SENTINEL, process.env.FIRST, process.env.SECOND].map(Number);
const sentinel = new Redis(sentinelPort);
const newMaster = new Redis(second);
const events = [];
function connect(options) {
  return new Redis({ sentinels: [{ host: '127.0.0.1', port: sentinelPort }], name: 'group', ...options });
}
const plain = connect({});
const detecting = connect({ failoverDetector: true });
await Promise.all([once(plain, 'ready'), once(detecting, 'ready')]);
for (const name of ['error', 'close', 'reconnecting', 'end']) plain.on(name, () => events.push(name));

// Sentinel refuses until it has seen the replica's state.
while (!(await sentinel.call('SENTINEL', 'FAILOVER', 'group').catch(() => false))) await wait(200);
while (!(await newMaster.info('replication')).includes('role:master')) await wait(50);
await wait(3_000);

const portOf = async (client) => Number((await client.info('server')).match(/tcp_port:(\d+)/)[1]);
const answer = await plain.set('written-after-failover', '1');
const plainAt = await portOf(plain);
const found = await newMaster.get('written-after-failover');
const eventsBefore = [...events];
const name = (port) => (port === first ? 'the old master' : 'the new master');
console.log('three seconds after the failover:');
console.log(`by default: on ${name(plainAt)}, SET answers ${answer}, events: ${eventsBefore.join(', ') || 'none'}`);
console.log(`failoverDetector: true: on ${name(await portOf(detecting))}`);
assert.equal(plainAt, first, 'changed: the client has left the old master');
assert.deepEqual([answer, eventsBefore], ['OK', []], 'changed: the client notices');
assert.equal(await portOf(detecting), second, 'changed: failoverDetector no longer moves the client');
assert.equal(found, null);

const old = new Redis(first);
while (!(await old.info('replication').catch(() => '')).includes('master_link_status:up')) await wait(200);
const later = [await old.get('written-after-failover'), await newMaster.get('written-after-failover')];
console.log(`once the old master is a replica, the key holds ${later.map(String).join(' and ')} on the two servers`);
assert.deepEqual(later, [null, null], 'changed: the write is kept');
console.log('As described.');
process.exit(0);
NODE
