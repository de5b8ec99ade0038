#!/usr/bin/env bash
# One would guess: Redis does not care about the case of a command's name, so `call('ZRANGE', …)`, `call('zrange', …)`
# and `zrange(…)` of ioredis give the same answer; and with the default `replyMapping: 'legacy'` it has the same shape
# over RESP3, now the default, as over RESP2, which the README promises.
# What happens: the shape is restored by a table of names in small letters. In capitals, ZRANGE … WITHSCORES answers
# pairs instead of a flat list, and XREAD a flat list instead of pairs. The same pairs come from `exec()` after
# `multi({ pipeline: false })`. Nothing fails.
# Seen with ioredis 6.0.0 and redis-server 7.0.15.
# For users: code that sends commands by name, in capitals as Redis writes them, reads wrong fields after an update from
# ioredis 5. Small letters or `protocol: 2` mend `call`; `protocol: 2` mends all three, as the last column shows.
set -euo pipefail
command -v redis-server >/dev/null || { echo 'redis-server has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ioredis@6.0.0 >/dev/null || exit 2
echo "ioredis 6.0.0, redis-server $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'), Node.js $(node --version)"
port=$(node -p '
  const server = require("node:net").createServer().listen(0);
  const { port } = server.address();
  server.close();
  port')
redis-server --port "$port" --bind 127.0.0.1 --dir "$dir" --save '' >log &
pids+=($!)
until redis-cli -p "$port" ping >/dev/null 2>&1; do kill -0 $! || exit 2; sleep 0.1; done

PORT=$port node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';

setTimeout(() => assert.fail('not finished within a minute'), 60_000).unref();
const port = Number(process.env.PORT);
const usual = new Redis(port);
const resp2 = new Redis(port, { protocol: 2 });
await usual.zadd('scores', 1, 'ann', 2, 'bob');
await usual.xadd('log', '1-1', 'field', 'value');
const range = ['scores', 0, -1, 'WITHSCORES'];
const read = ['STREAMS', 'log', '0'];

async function unpipelined(client) {
  await client.multi({ pipeline: false });
  await client.zrange(...range);
  return (await client.exec())[0][1];
}
const ways = {
  'zrange()': (client) => client.zrange(...range),
  "call('zrange')": (client) => client.call('zrange', ...range),
  "call('ZRANGE')": (client) => client.call('ZRANGE', ...range),
  'multi({ pipeline: false }), zrange()': unpipelined,
  'xread()': (client) => client.xread(...read),
  "call('xread')": (client) => client.call('xread', ...read),
  "call('XREAD')": (client) => client.call('XREAD', ...read),
};
const table = {};
const changed = [];
for (const [name, run] of Object.entries(ways)) {
  const row = { 'by default': JSON.stringify(await run(usual)), 'protocol: 2': JSON.stringify(await run(resp2)) };
  table[name] = row;
  if (row['by default'] !== row['protocol: 2']) changed.push(name);
}
console.table(table);
const expected = ["call('ZRANGE')", 'multi({ pipeline: false }), zrange()', "call('XREAD')"];
assert.deepEqual(changed, expected, 'changed: which answers differ');
console.log('As described.');
process.exit(0);
NODE
