#!/usr/bin/env bash
# One would guess: when a person leaves a page, its WebSocket closes and the server hears 1001; or else the open socket
# keeps the page out of the back/forward cache.
# What happens: the page goes into the cache with its socket open. No script of the page runs any more, yet the browser
# answers the server's pings, so that the server sees a present, healthy client. What it sends is lost, but for what may
# fall into the first moment. Only when the person comes back does the server hear 1001, and the page, which is shown
# again with `readyState` 1, hears 1006.
# Seen with Chromium 156 and ws 8.23.0 as the server.
# For users: presence and heartbeats count people who have left, and each page left behind in a tab keeps a socket. A
# page that closes its socket at `pagehide` and connects again at `pageshow` avoids both, which the second page shows.
set -euo pipefail
command -v chromium >/dev/null || { echo 'chromium has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ws@8.23.0 >/dev/null || exit 2
echo "$(chromium --version 2>/dev/null), ws 8.23.0, Node.js $(node --version)"
# Without a sandbox it also starts in a container; it opens nothing but this script's own pages.
chromium --headless=new --no-sandbox --disable-gpu --no-first-run --remote-debugging-port=0 \
  --user-data-dir="$dir/profile" about:blank >log 2>&1 &
pids+=($!)
until [ -s profile/DevToolsActivePort ]; do kill -0 $! || exit 2; sleep 0.1; done

DEBUGGING=$(head -n 1 profile/DevToolsActivePort) node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';

setTimeout(() => assert.fail('not finished within two minutes'), 120_000).unref();
const page = (closing) => `<script>
  const tell = (what) => fetch('/tell', { method: 'POST', body: what, keepalive: true });
  const socket = new WebSocket('ws://' + location.host);
  socket.onopen = () => tell('open');
  socket.onmessage = () => tell('message');
  socket.onclose = (event) => tell('close ' + event.code);
  onpagehide = () => tell('left') && ${closing} && socket.close();
  onpageshow = (event) => event.persisted && tell('shown again, readyState ' + socket.readyState);
</script>`;
const told = new EventEmitter();
let story = [];
const server = createServer(async (request, response) => {
  if (request.url !== '/tell') return response.setHeader('content-type', 'text/html').end(pages[request.url]);
  let what = '';
  for await (const chunk of request) what += chunk;
  response.end();
  story.push(what);
  told.emit(what);
});
const pages = { '/keeping': page(false), '/closing': page(true), '/next': 'another page' };
const sockets = new WebSocketServer({ server });
await once(server.listen(0, '127.0.0.1'), 'listening');
const base = `http://127.0.0.1:${server.address().port}`;

const targets = await (await fetch(`http://127.0.0.1:${process.env.DEBUGGING}/json`)).json();
const browser = new WebSocket(targets.find(({ type }) => type === 'page').webSocketDebuggerUrl);
await once(browser, 'open');
async function command(method, params = {}) {
  browser.send(JSON.stringify({ id: 1, method, params }));
  for (;;) {
    const { id, result } = JSON.parse((await once(browser, 'message'))[0]);
    if (id === 1) return result;
  }
}

// Opens the page, follows a link away from it, and looks at its socket from the server.
async function leave(path) {
  const connected = once(sockets, 'connection');
  const open = once(told, 'open');
  await command('Page.navigate', { url: base + path });
  const [socket] = await connected;
  await open;
  const closed = once(socket, 'close').then(([code]) => code);
  const gone = once(told, 'left');
  await command('Page.navigate', { url: `${base}/next` });
  await gone;
  return { socket, closed };
}
const left = await leave('/keeping');
story = [];
async function answersPing() {
  left.socket.ping();
  const answer = await Promise.race([once(left.socket, 'pong'), left.closed]);
  assert.ok(Array.isArray(answer), `changed: the socket of the page that was left closed with ${answer}`);
}
await wait(2_000);
for (let i = 0; i < 5; i += 1) {
  left.socket.send('for the page that was left');
  await answersPing();
  await wait(200);
}
console.log(`left behind: 5 of 5 pings answered, readyState at the server ${left.socket.readyState}`);

const back = Promise.all([once(told, 'close 1006'), once(told, 'shown again, readyState 1')]);
const { entries, currentIndex } = await command('Page.getNavigationHistory');
await command('Page.navigateToHistoryEntry', { entryId: entries[currentIndex - 1].id });
const code = await left.closed;
await back;
const arrived = story.filter((what) => what === 'message').length;
const rest = story.filter((what) => what !== 'message').sort();
console.log(`on return: the server hears ${code}, the page ${rest.join(', ')}; of 5 messages ${arrived} arrived`);
const careful = await (await leave('/closing')).closed;
console.log(`a page that closes at pagehide: the server hears ${careful} at once`);

assert.equal(code, 1001, 'changed: the code at the server');
assert.deepEqual(rest, ['close 1006', 'shown again, readyState 1'], 'changed: what the page hears');
assert.ok(arrived < 5, 'changed: the messages arrive');
console.log('As described.');
process.exit(0);
NODE
