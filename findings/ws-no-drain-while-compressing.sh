#!/usr/bin/env bash
# One would guess: while `bufferedAmount` of a WebSocket says that bytes wait, the network socket below is to be waited for:
# it emits `drain` once they have left.
# What happens with permessage-deflate: `bufferedAmount` counts the messages that wait to be compressed, too. They are in no
# socket yet: its `writableNeedDrain` is false, `drain` does not come for them, and code that waits for it waits for nothing,
# and leaves a listener behind each time.
# Seen with ws 8.23.0 on Node.js.
# For users: before you wait for `drain`, ask the socket (`writableNeedDrain`); else wait for the callback of `send`.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ws@8.23.0 >/dev/null || exit 2
echo "ws $(node -p "require('$dir/node_modules/ws/package.json').version"), Node.js $(node --version)"

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
const message = 'some text that compresses well, '.repeat(2_000);
for (const perMessageDeflate of [false, true]) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate });
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
  const [[socket]] = await Promise.all([once(server, 'connection'), once(client, 'open')]);
  const stream = socket._socket;
  let drains = 0;
  stream.on('drain', () => drains++);
  const sent = Array.from({ length: 200 }, () => new Promise((resolve) => socket.send(message, resolve)));
  const waits = socket.bufferedAmount > 1_000_000;
  const needsDrain = stream.writableNeedDrain;
  await Promise.all(sent);
  console.log(`compressed: ${perMessageDeflate}, over 1 MB wait: ${waits}, the socket needs a drain: ${needsDrain}, drain came: ${drains > 0}`);
  client.terminate();
  server.close();
}
JS
seen=$(timeout 60 node run.mjs) || exit 2
echo "$seen"
expected='compressed: false, over 1 MB wait: true, the socket needs a drain: true, drain came: true
compressed: true, over 1 MB wait: true, the socket needs a drain: false, drain came: false'
[ "$seen" = "$expected" ] || { echo 'changed'; exit 1; }
echo 'As described.'
