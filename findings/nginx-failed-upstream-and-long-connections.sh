#!/usr/bin/env bash
# One would guess: a server of an `upstream` that failed once (`max_fails`, 1 by default) is tried again after `fail_timeout`,
# and counts as well from the first request that it takes.
# What happens: it counts as well once a request has ENDED there. A WebSocket that it takes does not end, so nginx lets one
# connection through to it in each `fail_timeout`, for hours, and refuses the others with 502 when there is no other server.
# Seen with nginx 1.22.1.
# For users: after a rolling restart of WebSocket servers the one that was restarted first gets no more than a connection every ten
# seconds while the second is down. `max_fails=0` tries each server at once, and the next one when it refuses.
set -euo pipefail
command -v nginx >/dev/null || { echo 'nginx has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
chmod 755 "$dir"
trap '[ -f "$dir/nginx.pid" ] && kill "$(cat "$dir/nginx.pid")" 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir"
nginx -v

cat >check.mjs <<'NODE'
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, get, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

const folder = process.cwd();

/** A server of long connections, as WebSocket servers are. */
async function start(port = 0) {
  const server = createServer((_, response) => response.end());
  const sockets = new Set();
  server.on('upgrade', (_, socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    port: server.address().port,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The statuses of five long connections, one after the other, which all stay open. */
async function openFive(port) {
  const statuses = [];
  for (let nth = 0; nth < 5; nth++) {
    const asked = request({ port, host: '127.0.0.1', headers: { Connection: 'Upgrade', Upgrade: 'websocket' } });
    asked.on('error', () => {}).end();
    const [answer, socket] = await Promise.race([once(asked, 'upgrade'), once(asked, 'response')]);
    if (answer.statusCode !== 101) answer.resume();
    else socket.on('error', () => {});
    statuses.push(answer.statusCode);
  }
  return statuses;
}

async function afterRestart(settings) {
  const [first, second, front] = await Promise.all([start(), start(), start()]);
  await Promise.all([first.stop(), front.stop()]);
  writeFileSync(
    'nginx.conf',
    `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log; events {}
    http {
      access_log off;
      client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
      uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
      upstream both { server 127.0.0.1:${first.port} ${settings}; server 127.0.0.1:${second.port} ${settings}; }
      server {
        listen 127.0.0.1:${front.port};
        location / {
          proxy_pass http://both;
          proxy_http_version 1.1;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection upgrade;
        }
      }
    }`,
  );
  const nginx = spawn('nginx', ['-p', folder, '-c', `${folder}/nginx.conf`], { stdio: 'ignore' });
  const isUp = () => new Promise((resolve) => {
    get({ port: front.port, host: '127.0.0.1' }, (answer) => resolve(!!answer.resume())).on('error', () => resolve(false));
  });
  while (!(await isUp())) await wait(50);
  for (let nth = 0; nth < 4; nth++) await isUp(); // the first server is down, and nginx has seen it
  const again = await start(first.port);
  await wait(3_100); // longer than fail_timeout
  await second.stop();
  const statuses = await openFive(front.port);
  nginx.kill();
  await again.stop();
  await once(nginx, 'exit');
  return statuses;
}

const byDefault = await afterRestart('fail_timeout=2s');
const never = await afterRestart('max_fails=0');
console.log(`with fail_timeout=2s, 3 s after the first server is back: ${byDefault.join(' ')}`);
console.log(`with max_fails=0:                                         ${never.join(' ')}`);
assert.deepEqual(never, [101, 101, 101, 101, 101]);
assert.equal(byDefault[0], 101);
assert.ok(byDefault.includes(502), 'the others are let through now');
process.exit();
NODE
timeout 60 node check.mjs
