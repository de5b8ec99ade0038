#!/usr/bin/env bash
# One would guess: when a WebSocket connection breaks without a close frame, the event `close` has the code 1006 in every
# runtime, as the WebSockets standard and RFC 6455 (7.1.5) have it for a connection that was lost.
# What happens: in Deno the code is 0. In Node.js and Bun it is 1006, for the same server at the same moment.
# Seen with Deno 2.9.6, Bun 1.4.5 and Node.js 22.23.3, each with its own global WebSocket.
# For users: a table of close codes that decides whether to come back finds no entry for 0, and a comparison as
# `code >= 1000` takes the loss for something else. Treat 0 as 1006.
set -euo pipefail
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" deno@2.9.6 bun@1.4.5 node@22.23.3 >/dev/null || exit 2
bin=$dir/node_modules/.bin
echo "Deno $("$bin/deno" --version | sed -n '1s/deno \([^ ]*\).*/\1/p'), Bun $("$bin/bun" --version), Node.js $("$bin/node" --version)"

cat >server.mjs <<'JS'
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { writeFileSync } from 'node:fs';
const server = createServer();
server.on('upgrade', ({ headers }, stream) => {
  const key = headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  const accept = createHash('sha1').update(key).digest('base64');
  stream.on('error', () => undefined);
  stream.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  // Behind the first message of the client, so that the connection stands for sure.
  stream.once('data', () => stream.destroy());
});
server.listen(0, '127.0.0.1', () => writeFileSync('port', String(server.address().port)));
JS
"$bin/node" server.mjs &
pids+=($!)
until [ -s port ]; do kill -0 $! || exit 2; sleep 0.1; done

cat >client.mjs <<'JS'
const socket = new WebSocket('ws://127.0.0.1:PORT');
socket.onopen = () => socket.send('hello');
socket.onerror = () => undefined;
socket.onclose = ({ code, wasClean }) => console.log(`close ${code}, wasClean ${wasClean}`);
JS
sed -i "s/PORT/$(cat port)/" client.mjs
deno=$(timeout 60 "$bin/deno" run --allow-net client.mjs)
bun=$(timeout 60 "$bin/bun" client.mjs)
node=$(timeout 60 "$bin/node" client.mjs)
printf 'Deno: %s\nBun: %s\nNode.js: %s\n' "$deno" "$bun" "$node"
[ "$deno" = 'close 0, wasClean false' ] || { echo 'changed: the code of Deno'; exit 1; }
[ "$bun" = 'close 1006, wasClean false' ] && [ "$node" = 'close 1006, wasClean false' ] || { echo 'changed: the code of the others'; exit 1; }
echo 'As described.'
