#!/usr/bin/env bash
# One would guess: `close()` on a WebSocket that is still connecting gives the attempt up, wherever a page calls it; the
# event `freeze` is the place that the page lifecycle has for letting go of connections.
# What happens: called in `freeze`, when the page goes into the back/forward cache, it has no effect. The handshake goes
# on, the socket opens at the server, and stays open for as long as the page is in the cache. Called in `pagehide`, a few
# milliseconds before, it gives the attempt up, but only in a task of its own: on a busy machine the page may be frozen before
# that (not shown here; seen about once in 400 pages at a load of ten). A socket that is open already is closed from `freeze`
# as well.
# Seen with Chromium 156 and ws 8.23.0 as the server.
# For users: a page that lets go of its connections in `freeze` has to close those that are still on their way in
# `pagehide`; else a quick reader leaves a connected client behind with each page.
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
const told = new EventEmitter();
const page = (event) => `<script>
  const target = '${event}' === 'freeze' ? document : window;
  const tell = (what) => fetch('/tell', { method: 'POST', body: what, keepalive: true });
  const socket = new WebSocket('ws://' + location.host);
  socket.onopen = () => tell('open');
  target.addEventListener('${event}', () => { tell('readyState ' + socket.readyState); socket.close(); });
</script>`;
const server = createServer(async (request, response) => {
  if (request.url !== '/tell') {
    const event = request.url.slice(1);
    return response.setHeader('content-type', 'text/html').end(event === 'next' ? 'another page' : page(event));
  }
  let what = '';
  for await (const chunk of request) what += chunk;
  response.end();
  told.emit('told', what);
});
// The handshake is answered when the test says so.
const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, stream, head) => {
  stream.on('error', () => undefined);
  told.emit('dial', () => !stream.destroyed && sockets.handleUpgrade(request, stream, head, (socket) => told.emit('socket', socket)));
});
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

/** Leaves a page that closes its socket in an event, before or after the handshake; whether a socket stays at the server. */
async function leave(event, isOpenBefore) {
  const dial = once(told, 'dial');
  await command('Page.navigate', { url: `${base}/${event}` });
  const [answer] = await dial;
  const socket = once(told, 'socket').then(([made]) => made);
  if (isOpenBefore) {
    const open = once(told, 'told');
    answer();
    assert.deepEqual(await open, ['open']);
  }
  const closing = once(told, 'told');
  await command('Page.navigate', { url: `${base}/next` });
  const [state] = await closing;
  await wait(300);
  if (!isOpenBefore) answer();
  const made = await Promise.race([socket, wait(1_000)]);
  await wait(2_000);
  const stays = made?.readyState === WebSocket.OPEN;
  console.log(`close() in ${event} at ${state}: ${stays ? 'the socket is open at the server' : 'there is no socket at the server'}`);
  return stays;
}
const frozenDial = await leave('freeze', false);
const hiddenDial = await leave('pagehide', false);
const frozenSocket = await leave('freeze', true);
assert.ok(frozenDial, 'changed: close() in freeze gives the attempt up');
assert.ok(!hiddenDial, 'changed: close() in pagehide does not give the attempt up');
assert.ok(!frozenSocket, 'changed: close() in freeze does not close an open socket');
console.log('As described.');
process.exit(0);
NODE
