#!/usr/bin/env bash
# One would guess: with `retry-on 503`, HAProxy tries an upgrade that one server refuses (503, it sheds load) at another server.
# What happens: it asks the same server again, three more times, within milliseconds and without regard to Retry-After, and hands out its
# 503 in the end, with another server idle. The pause of a second before a retry is for connections that fail only. With
# `option redispatch` beside it the other server gets the connection.
# Seen with HAProxy 2.6.12. (The code 429 is no keyword of `retry-on` there.)
# For users: without `option redispatch`, the line multiplies the load on the server that sheds it by four, and helps nobody.
set -euo pipefail
command -v haproxy >/dev/null || { echo 'haproxy has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
haproxy -v | sed -n 1p

cat >check.mjs <<'NODE'
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

async function start(refuses) {
  const server = createServer();
  server.asked = 0;
  server.on('upgrade', ({ headers }, socket) => {
    server.asked++;
    socket.on('error', () => {});
    if (refuses) return socket.end('HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    const accept = createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}
async function dial(port) {
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': 13,
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  const asked = request({ port, host: '127.0.0.1', headers }).end();
  const [answer, socket] = await Promise.race([once(asked, 'upgrade'), once(asked, 'response')]);
  socket?.on('error', () => {}).destroy();
  answer.resume();
  return answer.statusCode;
}

async function tryFour(...lines) {
  const [busy, idle, front] = await Promise.all([start(true), start(false), start(false)]);
  const { port } = front.address();
  await new Promise((resolve) => front.close(resolve));
  writeFileSync(
    'haproxy.cfg',
    `defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
frontend front
  bind 127.0.0.1:${port}
  default_backend both
backend both
  ${lines.join('\n  ')}
  server busy 127.0.0.1:${busy.address().port}
  server idle 127.0.0.1:${idle.address().port}
`,
  );
  const haproxy = spawn('haproxy', ['-db', '-f', 'haproxy.cfg'], { stdio: 'ignore' });
  let first;
  while (!first) first = await dial(port).catch(() => wait(50)); // the first dial goes to the busy server
  const statuses = [first];
  const started = performance.now();
  while (statuses.length < 4) statuses.push(await dial(port));
  const duration = performance.now() - started;
  haproxy.kill('SIGTERM');
  await once(haproxy, 'exit');
  return { statuses, busy: busy.asked, idle: idle.asked, duration };
}

const retried = await tryFour('retry-on 503');
const moved = await tryFour('retry-on 503', 'option redispatch');
for (const [name, seen] of Object.entries({ 'retry-on 503': retried, 'retry-on 503, option redispatch': moved })) {
  console.log(`${name}: ${seen.statuses.join(' ')}; the busy server is asked ${seen.busy} times, the idle one ${seen.idle}`);
}
console.log(`three dials with retry-on 503 took ${retried.duration.toFixed()} ms`);
assert.deepEqual(moved.statuses, [101, 101, 101, 101]);
assert.deepEqual(retried.statuses, [503, 101, 503, 101]);
assert.equal(retried.busy, 8);
process.exit();
NODE
timeout 50 node check.mjs
echo 'As described.'
