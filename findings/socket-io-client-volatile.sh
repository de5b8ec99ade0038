#!/usr/bin/env bash
# One would guess: `socket.volatile.emit` of Socket.IO's client drops a message when the connection cannot take it at the moment (no
# connection, a slow one), and sends it otherwise.
# What happens: on an idle connection only the first emit of a turn gets through; a volatile one behind any other is dropped. And when
# the server has not read for long, nothing is dropped: the client takes the connection for ready again at its next tick,
# whatever waits, so megabytes of stale positions pile up and all arrive. On the server's side, a turn has room for one as well,
# but there a slow reader's messages are dropped, since the server waits for the write.
# Seen with socket.io-client 4.8.4 and socket.io 4.8.4, transport WebSocket.
# For users: emit what belongs together as one message, and what has to be fresh only while `socket.io.engine.transport.ws.bufferedAmount`
# is small.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" socket.io@4.8.4 socket.io-client@4.8.4 >/dev/null || exit 2
echo "socket.io-client $(node -p "require('$dir/node_modules/socket.io-client/package.json').version"), Node.js $(node --version)"

cat >check.mjs <<'JS'
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';

const http = createServer().listen(0, '127.0.0.1');
await once(http, 'listening');
const server = new Server(http);
const connection = once(server, 'connection');
const client = io(`http://127.0.0.1:${http.address().port}`, { transports: ['websocket'] });
await once(client, 'connect');
const [peer] = await connection;
const wire = { server: peer.conn.transport.socket._socket, client: client.io.engine.transport.ws._socket };
await wait(300);

/** What the other side has heard a moment after it has everything that was sent. */
async function heardBy(receiver, send) {
  const heard = [];
  const listener = (event) => heard.push(event);
  receiver.onAny(listener);
  await send();
  await wait(300);
  receiver.offAny(listener);
  return heard;
}
async function emitSlowly(socket, readerWire) {
  readerWire.pause();
  for (let nth = 0; nth < 200; nth++) {
    socket.volatile.emit('position', 'x'.repeat(100_000));
    await wait(1);
  }
  readerWire.resume();
  await wait(1_000);
}

const turn = await heardBy(peer, () => {
  for (const name of ['a', 'b', 'c']) client.volatile.emit(name);
});
console.log(`three volatile emits in a turn of an idle client: the server hears ${turn}`);
const behind = await heardBy(peer, () => {
  client.emit('plain');
  client.volatile.emit('volatile');
});
console.log(`a plain one and a volatile one: the server hears ${behind}`);
const fromClient = await heardBy(peer, () => emitSlowly(client, wire.server));
console.log(`200 × 100 KB to a server that has stopped reading: ${fromClient.length} arrive in the end`);
const fromServer = await heardBy(client, () => emitSlowly(peer, wire.client));
console.log(`200 × 100 KB to a client that has stopped reading: ${fromServer.length} arrive in the end`);
assert.deepEqual(turn, ['a']);
assert.deepEqual(behind, ['plain']);
assert.equal(fromClient.length, 200);
assert.ok(fromServer.length < 150);
process.exit();
JS
timeout 50 node check.mjs
echo 'As described.'
