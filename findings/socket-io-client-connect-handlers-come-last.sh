#!/usr/bin/env bash
# One would guess: the handlers of `connect` run before what was emitted while there was no connection leaves, so that a
# handler can log in, or enter its rooms, ahead of it.
# What happens: what has waited is sent first, and then `connect` is emitted, on every connection.
# Seen with socket.io-client 4.8.4 and socket.io 4.8.4.
# For users: what must come before waiting messages belongs into `auth`, or into messages that are emitted only after the
# server has answered the log-in.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" socket.io@4.8.4 socket.io-client@4.8.4 >/dev/null || exit 2
echo "socket.io-client 4.8.4, Node.js $(node --version)"

cat >run.mjs <<'JS'
import { createServer } from 'node:http';
import { once } from 'node:events';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
const http = createServer().listen(0, '127.0.0.1');
await once(http, 'listening');
const server = new Server(http);
const heard = [];
const done = new Promise((resolve) => {
  server.on('connection', (socket) => {
    socket.onAny((event) => {
      heard.push(event);
      if (heard.length === 2) resolve();
    });
  });
});
const client = io(`http://127.0.0.1:${http.address().port}`);
client.on('connect', () => client.emit('enter'));
client.emit('message');
await done;
console.log(heard.join(', '));
client.close();
await server.close();
JS
seen=$(timeout 30 node run.mjs) || exit 2
echo "the server hears: $seen"
[ "$seen" = 'message, enter' ] || { echo 'changed'; exit 1; }
echo 'As described.'
