#!/usr/bin/env bash
# One would guess: a Socket.IO client whose WebSocket is refused for a moment (503 with Retry-After, a rate limit at the proxy) tries the
# upgrade again a little later; HTTP long-polling is what it does until then.
# What happens: it tries once. For the rest of the connection, hours maybe, everything goes by HTTP requests, and nothing is said but an
# event of the engine (`upgradeError`).
# Seen with socket.io-client 4.8.4 and socket.io 4.8.4.
# For users: who protects a server by refusing upgrades gets more load from it, a request for each message instead of a frame, until
# the clients connect anew. Refuse the first request of a connection instead, or have such clients do it:
# `socket.io.engine.on('upgradeError', …)` with `socket.disconnect().connect()` after a while.
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

const http = createServer();
new Server(http);
const [upgrade] = http.listeners('upgrade');
http.removeAllListeners('upgrade');
const counts = { upgrades: 0, requests: 0 };
let isRefusing = true;
http.on('request', () => counts.requests++);
http.on('upgrade', (request, socket, head) => {
  counts.upgrades++;
  if (!isRefusing) return upgrade(request, socket, head);
  socket.end('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
});
await once(http.listen(0, '127.0.0.1'), 'listening');
const url = `http://127.0.0.1:${http.address().port}`;

const client = io(url);
while (!counts.upgrades) await wait(20);
await wait(300);
isRefusing = false;
counts.requests = 0;
for (let second = 0; second < 8; second++) {
  client.emit('position', second);
  await wait(1_000);
}
const transport = client.io.engine.transport.name;
console.log(`8 s after the refusal: ${transport}, ${counts.upgrades} upgrade(s) tried, ${counts.requests} requests for 8 messages`);

const other = io(url, { forceNew: true });
await once(other, 'connect');
await Promise.race([once(other.io.engine, 'upgrade'), wait(3_000)]);
console.log(`a client that connects now: ${other.io.engine.transport.name}`);
client.disconnect().connect();
await once(client, 'connect');
await Promise.race([once(client.io.engine, 'upgrade'), wait(3_000)]);
console.log(`the first one, after disconnect and connect: ${client.io.engine.transport.name}`);
assert.equal(transport, 'polling');
assert.equal(client.io.engine.transport.name, 'websocket');
assert.equal(other.io.engine.transport.name, 'websocket');
process.exit();
JS
timeout 50 node check.mjs
echo 'As described.'
