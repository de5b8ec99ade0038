#!/usr/bin/env bash
# One would guess: with `proxy_next_upstream error timeout http_503;` a server that answers 503 (with Retry-After, to shed load) is passed
# over for this request, and when all of them answer 503, the client gets a 503.
# What happens: the answer counts as a failure (`max_fails`, 1 by default), and takes the server out for `fail_timeout`, ten
# seconds. When the last one sheds load too, clients get 502 from nginx, without Retry-After, from the first request on; and they go
# on to get it though all servers take connections again. `http_429` does the same.
# Seen with nginx 1.22.1.
# For users: a tenth of a second of shedding becomes ten seconds in which nobody gets in. `max_fails=0` on each server keeps the retry, and
# the 503 with its Retry-After.
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

/** A server of upgrades, which sheds load while `refuses` is true. */
async function start() {
  const server = createServer((_, response) => response.end());
  server.on('upgrade', (_, socket) => {
    socket.on('error', () => {});
    if (!server.refuses) socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    else socket.end('HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}
async function dial(port) {
  const asked = request({ port, host: '127.0.0.1', headers: { Connection: 'Upgrade', Upgrade: 'websocket' } });
  asked.on('error', () => {}).end();
  const [answer, socket] = await Promise.race([once(asked, 'upgrade'), once(asked, 'response')]);
  socket?.on('error', () => {}).destroy();
  answer.resume();
  const after = answer.headers['retry-after'];
  return after ? `${answer.statusCode} (Retry-After ${after})` : `${answer.statusCode}`;
}
async function three(port) {
  const answers = [];
  for (let nth = 0; nth < 3; nth++) answers.push(await dial(port));
  return answers.join(', ');
}

async function shed(settings) {
  const [first, second, front] = await Promise.all([start(), start(), start()]);
  const { port } = front.address();
  await new Promise((resolve) => front.close(resolve));
  writeFileSync(
    'nginx.conf',
    `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log; events {}
    http {
      access_log off;
      client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
      uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
      upstream both { server 127.0.0.1:${first.address().port} ${settings}; server 127.0.0.1:${second.address().port} ${settings}; }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://both;
          proxy_next_upstream error timeout http_503;
          proxy_http_version 1.1;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection upgrade;
        }
      }
    }`,
  );
  const nginx = spawn('nginx', ['-p', folder, '-c', `${folder}/nginx.conf`], { stdio: 'ignore' });
  const isUp = () => new Promise((resolve) => {
    get({ port, host: '127.0.0.1' }, (answer) => resolve(!!answer.resume())).on('error', () => resolve(false));
  });
  while (!(await isUp())) await wait(50);
  first.refuses = true;
  const one = await three(port);
  second.refuses = true;
  const all = await three(port);
  first.refuses = second.refuses = false;
  const none = await three(port);
  nginx.kill();
  await once(nginx, 'exit');
  return { one, all, none };
}

const usual = await shed('');
const kept = await shed('max_fails=0');
for (const [name, seen] of Object.entries({ 'max_fails as by default': usual, 'max_fails=0': kept })) {
  console.log(`${name}\n  one server sheds:  ${seen.one}\n  both shed:         ${seen.all}\n  none sheds any more: ${seen.none}`);
}
const taken = '101, 101, 101';
const told = Array(3).fill('503 (Retry-After 3)').join(', ');
assert.deepEqual(kept, { one: taken, all: told, none: taken });
assert.deepEqual(usual, { one: taken, all: '502, 502, 502', none: '502, 502, 502' });
process.exit();
NODE
timeout 50 node check.mjs
echo 'As described.'
