#!/usr/bin/env bash
# One would guess: a client that gives up on a Redis which stands still (a paused container, a machine out of memory or swapping)
# takes back what it has sent by resetting its connection (RST): TCP discards what the other side has not read.
# What happens: the RST discards what is still on its way or at the sender. What the system of Redis has acknowledged stays readable
# behind the RST, on Linux: when Redis goes on, it reads the command, carries it out, and finds the reset only when it answers.
# The same holds for a PUBLISH: it is delivered, long after its sender was told that it has failed.
# Seen with redis-server 7.0.15 on Linux.
# For users: a command that timed out is in doubt, whatever the client does with its connection. What must not come late needs a
# deadline that Redis checks itself: a script that compares an argument with TIME.
set -euo pipefail
command -v redis-server >/dev/null || { echo 'redis-server has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
trap 'kill -CONT "${pid:-}" 2>/dev/null || true; kill "${pid:-}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
port=$(node -e "const s = require('node:net').createServer().listen(0, () => { console.log(s.address().port); s.close(); });")
echo "redis-server $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'), Node.js $(node --version), $(uname -s)"
redis-server --port "$port" --save '' --dir "$dir" >/dev/null &
pid=$!

cat >check.mjs <<'JS'
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const [port, pid] = process.argv.slice(2).map(Number);

async function client() {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const opened = await new Promise((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)));
    if (opened) return socket.on('error', () => {});
    await wait(50);
  }
}

async function ask(socket, command) {
  socket.write(`${command}\r\n`);
  return String((await once(socket, 'data'))[0]);
}

/** What a stopped Redis has carried out of two commands whose connection was ended like that. */
async function after(end) {
  const [giver, observer, subscriber] = [await client(), await client(), await client()];
  await ask(subscriber, 'SUBSCRIBE news');
  await ask(observer, 'DEL given');
  const heard = [];
  subscriber.on('data', (data) => heard.push(String(data)));
  process.kill(pid, 'SIGSTOP');
  giver.write('SET given up\r\nPUBLISH news late\r\n');
  await wait(500);
  end(giver);
  await once(giver, 'close');
  await wait(1_000);
  process.kill(pid, 'SIGCONT');
  const value = (await ask(observer, 'GET given')).includes('up') ? 'set' : 'not set';
  await ask(observer, 'PING');
  await wait(200);
  return `${value}, ${heard.join('').includes('late') ? 'delivered' : 'not delivered'}`;
}

const seen = { closed: await after((socket) => socket.destroy()), reset: await after((socket) => socket.resetAndDestroy()) };
console.log('After it went on:', seen);
assert.deepEqual(seen, { closed: 'set, delivered', reset: 'set, delivered' });
process.exit();
JS
timeout 30 node check.mjs "$port" "$pid"
echo 'As described.'
