#!/usr/bin/env bash
# One would guess: `webSocket(url).pipe(retry({ delay: 1000 }))`, the usual way to stay connected with RxJS, connects again when
# the server closes the connection with an error or a request to come back (1011, 1012 service restart, 1013 try again later).
# What happens: every close with a Close frame completes the Observable, whatever its code says. `retry` and `catchError`
# act on errors alone, and so the client stays away, without an error. Only a connection that is cut connects again.
# Seen with rxjs 7.8.2 and ws 8.23.0.
# For users: tests that kill the server pass, and a proper shutdown loses all clients. Add `repeat({ delay })` beside `retry`,
# or turn what `closeObserver` hears into an error.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" rxjs@7.8.2 ws@8.23.0 >/dev/null || exit 2
echo "rxjs $(node -p "require('$dir/node_modules/rxjs/package.json').version"), Node.js $(node --version)"

cat >check.mjs <<'JS'
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { repeat, retry } from 'rxjs';
import { webSocket } from 'rxjs/webSocket';
import { WebSocket, WebSocketServer } from 'ws';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await once(server, 'listening');
const url = `ws://127.0.0.1:${server.address().port}`;

/** How often the client has connected until it ends, or within a second. */
async function connections(end, ...operators) {
  let count = 0;
  const onConnection = (socket) => {
    count++;
    end(socket);
  };
  server.on('connection', onConnection);
  let ended = 'still trying';
  const subscription = webSocket({ url, WebSocketCtor: WebSocket })
    .pipe(...operators)
    .subscribe({ error: () => (ended = 'error'), complete: () => (ended = 'complete') });
  await wait(1_000);
  subscription.unsubscribe();
  await wait(50);
  server.off('connection', onConnection);
  return { count, ended };
}

const again = { delay: 20 };
for (const code of [1011, 1012, 1013]) {
  const { count, ended } = await connections((socket) => socket.close(code), retry(again));
  console.log(`closed with ${code}, retry: ${count} connection(s), then ${ended}`);
  assert.deepEqual({ count, ended }, { count: 1, ended: 'complete' });
}
const cut = await connections((socket) => socket.terminate(), retry(again));
console.log(`cut, retry: ${cut.count} connections, ${cut.ended}`);
assert.ok(cut.count > 2);
const both = await connections((socket) => socket.close(1012), retry(again), repeat(again));
console.log(`closed with 1012, retry and repeat: ${both.count} connections, ${both.ended}`);
assert.ok(both.count > 2);
process.exit();
JS
timeout 50 node check.mjs
echo 'As described.'
