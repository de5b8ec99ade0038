#!/usr/bin/env bash
# One would guess: PUBLISH answers the number of subscribers that the message was handed to, so a subscriber that Redis
# has cut off for its full output buffer counts no more; and only slow subscribers are cut.
# What happens: within one script or transaction Redis writes to nobody. A subscriber that reads as fast as it can is
# cut once the script has published more than `client-output-buffer-limit pubsub` (32 MB by default), everything
# buffered is thrown away, and each PUBLISH, before and after the cut, still counts it as a receiver. The subscriber
# sees a close, reconnects and has received nothing.
# Seen with redis-server 7.0.15; the client is ioredis 6.0.0.
# For users: the answer of PUBLISH is no proof that anybody got the message, and a burst has to be divided into several
# calls. The same messages published one by one all arrive.
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
const publisher = new Redis(port);
const subscriber = new Redis(port);
let received = 0;
const events = [];
subscriber.on('message', () => (received += 1));
for (const name of ['error', 'close', 'reconnecting']) subscriber.on(name, () => events.push(name));
await subscriber.subscribe('news');

const reconnected = once(subscriber, 'ready');
const script = `
  local receivers = 0
  for _ = 1, 60 do receivers = receivers + redis.call('PUBLISH', 'news', string.rep('x', 1048576)) end
  return receivers`;
const counted = await publisher.eval(script, 0);
await reconnected;
// The subscription is renewed after `ready`; a message of our own then shows that everything before it is through.
while ((await publisher.publish('news', 'last')) === 0);
while (received === 0) await once(subscriber, 'message');
console.log(`one script, 60 messages of 1 MiB: PUBLISH counted ${counted} receivers, ${received - 1} arrived`);
console.log(`events of the subscriber: ${events.join(', ')}`);

received = 0;
const text = 'x'.repeat(1_048_576);
for (let i = 0; i < 60; i += 1) {
  const arrived = once(subscriber, 'message');
  await publisher.publish('news', text);
  await arrived;
}
console.log(`the same one by one: ${received} arrived`);

assert.equal(counted, 60, 'changed: the cut subscriber is no longer counted');
assert.deepEqual(events, ['close', 'reconnecting'], 'changed: the subscriber is not cut, or is told');
console.log('As described.');
process.exit(0);
NODE
