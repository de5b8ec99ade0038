#!/usr/bin/env bash
# One would guess: @fastify/websocket takes the upgrades of its own routes and leaves the others alone, so that another
# WebSocket server can share the HTTP server by its own `upgrade` listener and path, as several `ws` servers can.
# What happens: the plugin sends every upgrade of the HTTP server through Fastify's router. For a path without a route
# it writes a 404 to the socket. If the other listener came first, that 404 lands in the middle of an open WebSocket:
# the client has connected and received messages, then reads "HTTP/1.1 404" as a frame and closes, complaining of
# compression (`RSV1 must be clear`). If it came second, the client sees the 404 alone.
# Seen with @fastify/websocket 11.3.7, fastify 5.12.8 and ws 8.23.0.
# For users: a second WebSocket server needs an HTTP server of its own, or a route of the plugin that hands the socket
# over. The error message points at compression, which has nothing to do with it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" @fastify/websocket@11.3.7 fastify@5.12.8 ws@8.23.0 >/dev/null || exit 2
echo "@fastify/websocket 11.3.7, fastify 5.12.8, ws 8.23.0, Node.js $(node --version)"

node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import fastify from 'fastify';
import websocket from '@fastify/websocket';
import { WebSocket, WebSocketServer } from 'ws';

setTimeout(() => assert.fail('not finished within a minute'), 60_000).unref();

// What a client goes through until it is closed, or until a ping after its first message has been answered.
async function tell(url) {
  const story = [];
  const client = new WebSocket(url);
  client.on('open', () => story.push('open'));
  client.on('error', (error) => story.push(`error "${error.message}"`));
  client.on('message', (data) => {
    story.push(`message "${data}"`);
    client.ping();
  });
  await new Promise((resolve) => client.on('close', resolve).on('pong', resolve));
  client.terminate();
  return story.join(', ');
}

async function run(otherFirst) {
  const app = fastify();
  const other = new WebSocketServer({ noServer: true });
  other.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.send('from the other server');
  });
  const listen = () =>
    app.server.on('upgrade', (request, socket, head) => {
      if (request.url !== '/other') return;
      socket.on('error', () => {});
      other.handleUpgrade(request, socket, head, (webSocket) => other.emit('connection', webSocket));
    });
  if (otherFirst) listen();
  await app.register(websocket);
  app.get('/own', { websocket: true }, (socket) => socket.send('from the plugin'));
  await app.ready();
  if (!otherFirst) listen();
  await app.listen({ port: 0 });
  const base = `ws://127.0.0.1:${app.server.address().port}`;
  return { own: await tell(`${base}/own`), other: await tell(`${base}/other`) };
}
const first = await run(true);
const second = await run(false);
console.log('the other listener came first: ', first);
console.log('the other listener came second:', second);
assert.equal(first.own, 'open, message "from the plugin"');
assert.match(first.other, /open, message .*, error ".*RSV1 must be clear"/, 'changed: the open socket is left alone');
assert.match(second.other, /error "Unexpected server response: 404"/, 'changed: the second listener gets the socket');
console.log('As described.');
process.exit(0);
NODE
