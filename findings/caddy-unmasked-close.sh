#!/usr/bin/env bash
# One would guess: a reload of Caddy leaves open WebSockets alone, as those of nginx and HAProxy do, or ends them as a client would.
# What happens: a reload with a changed configuration ends each of them, toward the application by a Close frame without a mask. Servers
# take that for a client that breaks RFC 6455 (ws: "MASK must be set", close code 1002 on the wire, 1006 in its event), and a ws server
# without an `error` listener ends.
# Seen with Caddy 2.6.2, which Debian 12 has; by its source, later versions mask the frame.
# For users: healthy clients look broken at each deploy of the proxy.
set -euo pipefail
command -v caddy >/dev/null || { echo 'caddy has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export HOME=$dir XDG_DATA_HOME=$dir XDG_CONFIG_HOME=$dir
caddy version

cat >check.mjs <<'NODE'
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

const server = createServer();
const free = createServer();
const admin = createServer();
for (const one of [server, free, admin]) await once(one.listen(0, '127.0.0.1'), 'listening');
const [port, front, control] = [server, free, admin].map((one) => one.address().port);
free.close();
admin.close();
const frames = [];
server.on('upgrade', (_, socket) => {
  socket.on('error', () => {}).on('data', (bytes) => frames.push(bytes));
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
});
const write = (version) =>
  writeFileSync('Caddyfile', `{\n\tadmin localhost:${control}\n}\n:${front} {\n\theader X-V ${version}\n\treverse_proxy 127.0.0.1:${port}\n}\n`);
const args = ['--config', 'Caddyfile', '--adapter', 'caddyfile'];
write(1);
const caddy = spawn('caddy', ['run', ...args], { stdio: 'ignore' });
try {
  let socket;
  for (let tries = 0; !socket && tries < 100; tries++) {
    await wait(100);
    const asked = request({ port: front, host: '127.0.0.1', headers: { Connection: 'Upgrade', Upgrade: 'websocket' } });
    asked.end();
    [, socket] = await once(asked, 'upgrade').catch(() => []);
  }
  const closed = once(socket.on('error', () => {}).resume(), 'close');
  write(2);
  execFileSync('caddy', ['reload', ...args, '--address', `localhost:${control}`], { stdio: 'ignore' });
  await closed;
  await wait(200);
  const bytes = Buffer.concat(frames);
  console.log(`what the application got at the reload: ${bytes.toString('hex')}`);
  assert.equal(bytes.toString('hex'), '880203e9', 'another frame than one of 1001 without a mask');
} finally {
  caddy.kill();
}
process.exit();
NODE
timeout 60 node check.mjs
