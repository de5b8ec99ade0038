#!/usr/bin/env bash
# One would guess: `writableLength` of a Node.js socket, and `bufferedAmount` of a `ws` WebSocket, which is built on it,
# shrink while a large message goes out, so that a program can see from them whether a slow peer still takes anything.
# What happens: both stay at the full size of the write until its very last byte is with the kernel, then fall at once.
# A peer that reads slowly and one that has stopped look the same. libuv's own counter, the
# undocumented `socket._handle.writeQueueSize`, does show the progress.
# Seen with Node.js 20 and ws 8.23.0.
# For users: a watchdog that cuts a peer whose `bufferedAmount` has not moved for a while cuts healthy slow peers in the
# middle of one large message. `bytesWritten` counts the bytes handed over, not those that left, and does not help.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ws@8.23.0 >/dev/null || exit 2
echo "ws 8.23.0, Node.js $(node --version)"

node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { WebSocketServer } from 'ws';

setTimeout(() => assert.fail('not finished within a minute'), 60_000).unref();
const size = 64 * 1024 * 1024;
const server = new WebSocketServer({ port: 0 });
await once(server, 'listening');

// The peer reads by hand, so that it stands still while the numbers are read.
const peer = createConnection(server.address().port);
const upgrade = ['GET / HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket'];
upgrade.push('Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', '', '');
peer.write(upgrade.join('\r\n'));
const [webSocket, request] = await once(server, 'connection');
const { socket } = request;
const answer = (await once(peer, 'data'))[0];
assert.match(String(answer), /^HTTP\/1.1 101/);

let read = 0;
async function readUpTo(bytes) {
  while (read < bytes) {
    const chunk = peer.read();
    if (chunk === null) await once(peer, 'readable');
    else read += chunk.length;
  }
}
peer.pause();
webSocket.send(Buffer.alloc(size));
const seen = [];
for (const share of [0, 0.25, 0.5, 0.75]) {
  await readUpTo(size * share);
  seen.push({
    'read by the peer': read,
    bufferedAmount: webSocket.bufferedAmount,
    writableLength: socket.writableLength,
    bytesWritten: socket.bytesWritten,
    writeQueueSize: socket._handle.writeQueueSize,
  });
}
await readUpTo(size);
while (webSocket.bufferedAmount > 0) await once(socket, 'drain');
console.table(seen);
console.log(`after the last byte: bufferedAmount ${webSocket.bufferedAmount}`);

for (const { bufferedAmount, writableLength } of seen) {
  assert.ok(bufferedAmount >= size && writableLength >= size, 'changed: they shrink while the message goes out');
}
assert.ok(seen[3].writeQueueSize < size / 2, 'changed: writeQueueSize does not show the progress');
console.log('As described.');
process.exit(0);
NODE
