#!/usr/bin/env bash
# One would guess: `keyPrefix` of ioredis touches either the names of all channels or of none, and a subscriber is told
# the name that it has subscribed to.
# What happens: classic channels stay as they are, sharded ones get the prefix, in SSUBSCRIBE as in SPUBLISH, since Redis
# counts a sharded channel as a key. The `smessage` event then hands out the name with the prefix, which the application
# has never written, and PUBSUB SHARDNUMSUB, which gets no prefix, counts nobody.
# Seen with ioredis 6.0.0 and redis-server 7.0.15.
# For users: a change from classic to sharded pub/sub breaks look-ups by channel name without an error, and cuts off
# publishers that have another prefix or none. Take the prefix off in the handler, or use a client without one.
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
import { once } from 'node:events';
import { Redis } from 'ioredis';

setTimeout(() => assert.fail('not finished within a minute'), 60_000).unref();
const port = Number(process.env.PORT);
const subscriber = new Redis(port, { keyPrefix: 'app:' });
const sameApp = new Redis(port, { keyPrefix: 'app:' });
const otherApp = new Redis(port);

async function look(subscribe, publish, event, count) {
  await subscriber[subscribe]('news');
  const heard = once(subscriber, event);
  const bySame = await sameApp[publish]('news', 'x');
  const byOther = await otherApp[publish]('news', 'x');
  return {
    'name heard': (await heard)[0],
    'receivers, same prefix': bySame,
    'receivers, no prefix': byOther,
    [count]: (await sameApp.pubsub(count, 'news'))[1],
  };
}
const classic = await look('subscribe', 'publish', 'message', 'NUMSUB');
const sharded = await look('ssubscribe', 'spublish', 'smessage', 'SHARDNUMSUB');
console.log("subscribe('news'): ", classic);
console.log("ssubscribe('news'):", sharded);

assert.deepEqual(Object.values(classic), ['news', 1, 1, 1], 'changed: classic channels');
assert.deepEqual(Object.values(sharded), ['app:news', 1, 0, 0], 'changed: sharded channels');
console.log('As described.');
process.exit(0);
NODE
