#!/usr/bin/env bash
# One would guess: `bufferedAmount` of a `ws` WebSocket is the bytes that wait, as the standard has it ("bytes of application data"),
# and the same at both ends of a connection.
# What happens: a server counts what waits of a text in UTF-16 units, a client in bytes: a server sends a text to its socket as the
# string that it is (a client masks it first, in a buffer), and Node.js counts strings by `length`. A text in Chinese counts for a
# third of its bytes, one in Cyrillic or Greek for half.
# Seen with ws 8.23.0 on Node.js.
# For users: a limit on `bufferedAmount` for slow clients lets up to three times as much wait as it says, by the users' language.
# Send a buffer (`send(Buffer.from(text), { binary: false })`) where the number has to be right.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ws@8.23.0 >/dev/null || exit 2
echo "ws $(node -p "require('$dir/node_modules/ws/package.json').version"), Node.js $(node --version)"

cat >check.mjs <<'JS'
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';

const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await once(wss, 'listening');
const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`);
const connection = once(wss, 'connection');
await once(client, 'open');
const [server] = await connection;
server.pause();
client.pause();

/** How much `bufferedAmount` grows by a message, in units of a million. */
function growth(socket, message) {
  const before = socket.bufferedAmount;
  socket.send(message, { binary: false });
  return Math.round((socket.bufferedAmount - before) / 1e6);
}
for (const socket of [server, client]) socket.send(Buffer.alloc(20e6)); // more than the kernel takes
const text = '汉'.repeat(1e6);
const seen = {
  server: growth(server, text),
  client: growth(client, text),
  serverBuffer: growth(server, Buffer.from(text)),
};
console.log(`a text of ${Buffer.byteLength(text) / 1e6} MB waits; bufferedAmount grows by, in millions:`, seen);
assert.deepEqual(seen, { server: 1, client: 3, serverBuffer: 3 });
process.exit();
JS
timeout 30 node check.mjs
echo 'As described.'
