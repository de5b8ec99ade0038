#!/usr/bin/env bash
# One would guess: with RESP3 one connection serves subscriptions and commands alike, so a client may drop its second connection.
# The limit `client-output-buffer-limit pubsub` (32 MB) is for messages that a slow subscriber does not read.
# What happens: with the first subscription the whole connection comes under that limit, replies too. A `GET` whose reply is larger
# closes the connection, with no error and no byte of the reply, however fast the client reads. The same `GET` works before the
# subscription, and again after UNSUBSCRIBE.
# Seen with redis-server 7.0.15.
# For users: a large list or a long history (LRANGE, XRANGE, a pipeline of many) that ever worked ends the connection and all
# subscriptions on it, and does so again at each retry. Keep a connection of its own for subscriptions with RESP3 as well, or raise
# the limit of that class.
set -euo pipefail
command -v redis-server >/dev/null || { echo 'redis-server has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
trap 'kill "${pid:-}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
echo "redis-server $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'), Node.js $(node --version)"
redis-server --port 0 --unixsocket "$dir/redis.sock" --save '' --dir "$dir" >/dev/null &
pid=$!
for _ in $(seq 100); do [ -S redis.sock ] && break; sleep 0.05; done

cat >check.mjs <<'JS'
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';

const value = 'x'.repeat(40e6);

/** What becomes of `GET big` behind these commands, on a connection that reads all the time. */
async function reads(...commands) {
  const socket = connect('redis.sock').on('error', () => {});
  for (const command of ['HELLO 3', ...commands]) {
    socket.write(`${command}\r\n`);
    await once(socket, 'data');
  }
  let bytes = 0;
  const ended = new Promise((resolve) => {
    socket.on('close', () => resolve(`closed after ${bytes} bytes`));
    socket.on('data', (data) => (bytes += data.length) > value.length && resolve('whole reply'));
  });
  socket.write('GET big\r\n');
  const what = await ended;
  socket.destroy();
  return what;
}

const setter = connect('redis.sock');
setter.write(`*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${value.length}\r\n${value}\r\n`);
await once(setter, 'data');
const seen = {
  'RESP3': await reads(),
  'RESP3 with a subscription': await reads('SUBSCRIBE news'),
  'RESP3 after UNSUBSCRIBE': await reads('SUBSCRIBE news', 'UNSUBSCRIBE news'),
};
console.log('GET of 40 MB:', seen);
assert.deepEqual(Object.values(seen), ['whole reply', 'closed after 0 bytes', 'whole reply']);
process.exit();
JS
timeout 30 node check.mjs
echo 'As described.'
