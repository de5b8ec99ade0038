#!/usr/bin/env bash
# One would guess: when a message is larger than libsoup's limit (128 KiB for a client), the connection ends with close code
# 1009, at the client by `get_close_code()` and at the server by the Close frame.
# What happens: no Close frame is sent, so the server sees 1006, and the client's `get_close_code()` is 0. The 1009 is only in
# the signal `error`, as the code of its error. A 1009 that the server sends arrives as 1009.
# Seen with libsoup 3.2.3 through python3-gi, and ws 8.23.0 as the server.
# For users: raise `set_max_incoming_payload_size` before larger messages come, and connect to `error` too: by the close code
# alone this looks like a lost connection, and who connects again gets the same message again.
set -euo pipefail
python=/usr/bin/python3
"$python" -c 'import gi; gi.require_version("Soup", "3.0")' 2>/dev/null ||
  { echo "libsoup 3 for Python is needed (Debian's python3-gi and gir1.2-soup-3.0)."; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ws@8.23.0 >/dev/null || exit 2

cat >client.py <<'PYTHON'
import sys

import gi

gi.require_version('Soup', '3.0')
from gi.repository import GLib, Soup

loop = GLib.MainLoop()
kept = []

def received(socket, _kind, data):
    print(f'message of {data.get_size()}, ', end='')
    socket.close(1000, None)

def closed(socket):
    print(f'close {socket.get_close_code()}', end='')
    loop.quit()

def connected(session, result):
    socket = session.websocket_connect_finish(result)
    kept.append(socket)
    socket.connect('message', received)
    socket.connect('error', lambda _socket, error: print(f'error {error.code}, ', end=''))
    socket.connect('closed', closed)

if len(sys.argv) == 1:
    print(f'libsoup {Soup.get_major_version()}.{Soup.get_minor_version()}.{Soup.get_micro_version()}', end='')
else:
    GLib.timeout_add_seconds(20, sys.exit)
    session = Soup.Session()
    request = Soup.Message.new('GET', sys.argv[1])
    session.websocket_connect_async(request, None, None, GLib.PRIORITY_DEFAULT, None, connected)
    loop.run()
PYTHON
cat >run.mjs <<'NODE'
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { WebSocketServer } from 'ws';

setTimeout(() => process.exit(3), 60_000).unref();
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await once(server, 'listening');
const client = async (path) => {
  const atServer = once(server, 'connection').then(async ([socket]) => {
    if (path === 'closed') socket.close(1009);
    else socket.send(Buffer.alloc(Number(path)));
    return (await once(socket, 'close'))[0];
  });
  const url = `ws://127.0.0.1:${server.address().port}/`;
  const { stdout } = await promisify(execFile)(process.argv[2], ['client.py', url]);
  console.log(`${path}: ${stdout}; the server sees ${await atServer}`);
};
for (const path of ['131072', '131073', 'closed']) await client(path);
process.exit(0);
NODE
echo "$("$python" client.py), ws 8.23.0, Node.js $(node --version)"
seen=$(node run.mjs "$python") || exit 2
echo "$seen"
expected='131072: message of 131072, close 1000; the server sees 1000
131073: error 1009, close 0; the server sees 1006
closed: close 1009; the server sees 1009'
[ "$seen" = "$expected" ] || { echo 'changed'; exit 1; }
echo 'As described.'
