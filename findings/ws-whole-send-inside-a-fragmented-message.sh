#!/usr/bin/env bash
# One would guess: while a message is being sent in fragments (`send(data, { fin: false })`), a whole `send(data)` from
# another part of the program waits, fails, or arrives as a message of its own.
# What happens: it becomes the last fragment of the unfinished message, also when it is binary and the message is text. The
# peer gets one message of both, and what was meant to be the last fragment arrives as a message of its own.
# Seen with ws 8.23.0 on Node.js.
# For users: whoever sends fragments has to keep every other sender of that socket waiting until the last one.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ws@8.23.0 >/dev/null || exit 2
echo "ws $(node -p "require('$dir/node_modules/ws/package.json').version"), Node.js $(node --version)"

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await once(server, 'listening');
server.on('connection', (socket) => {
  socket.send('first part, ', { fin: false });
  socket.send(Buffer.from('another message')); // of another part of the program
  socket.send('last part', { fin: true });
  socket.close();
});
const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
client.on('message', (data, isBinary) => console.log(`${isBinary ? 'binary' : 'text'}: ${data}`));
await once(client, 'close');
server.close();
JS
seen=$(timeout 30 node run.mjs) || exit 2
echo "$seen"
expected='text: first part, another message
text: last part'
[ "$seen" = "$expected" ] || { echo 'changed'; exit 1; }
echo 'As described.'
