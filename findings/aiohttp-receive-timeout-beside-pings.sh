#!/usr/bin/env bash
# One would guess: `await ws.receive(timeout=2)` of aiohttp's WebSocket client raises `TimeoutError` when no message has
# come for two seconds.
# What happens: each ping of the server starts the two seconds anew, although aiohttp answers pings by itself and never
# shows them. Beside a heartbeat that is shorter than the timeout, it never fires. `settimeout()` of websocket-client,
# the other usual library, does the same.
# Seen with aiohttp 3.14.3 and websocket-client 1.9.2 on Python 3, and ws 8.23.0 as the server.
# For users: a deadline for an answer has to be put around the call (`asyncio.timeout`, `asyncio.wait_for`), which the
# script shows; the two settings tell only whether the connection is silent.
set -euo pipefail
command -v python3 >/dev/null || { echo 'python3 has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ws@8.23.0 >/dev/null || exit 2
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aiohttp==3.14.3 websocket-client==1.9.2 || exit 2

# The server pings five times a second where the path says so, and speaks after six seconds.
cat >server.mjs <<'NODE'
import { writeFileSync } from 'node:fs';
import { WebSocketServer } from 'ws';
const server = new WebSocketServer({ port: 0 }, () => writeFileSync('port', String(server.address().port)));
server.on('connection', (socket, request) => {
  const pings = request.url === '/pings' ? setInterval(() => socket.ping(), 200) : undefined;
  setTimeout(() => socket.send('a message'), 6_000);
  socket.on('close', () => clearInterval(pings));
});
NODE
node server.mjs &
pids+=($!)
until [ -s port ]; do sleep 0.1; done

venv/bin/python - <<'PYTHON'
import asyncio, platform
import aiohttp, websocket

base = 'ws://127.0.0.1:' + open('port').read()

async def with_aiohttp(path, own_deadline=False):
    async with aiohttp.ClientSession() as session, session.ws_connect(base + path) as ws:
        try:
            receive = ws.receive() if own_deadline else ws.receive(timeout=2)
            return (await asyncio.wait_for(receive, 2 if own_deadline else 30)).data
        except asyncio.TimeoutError:
            return 'timeout'

def with_websocket_client(path):
    ws = websocket.create_connection(base + path)
    ws.settimeout(2)
    try:
        return ws.recv()
    except websocket.WebSocketTimeoutException:
        return 'timeout'

print(f'aiohttp {aiohttp.__version__}, websocket-client {websocket.__version__}, Python {platform.python_version()}')
seen = {}
for path in ['/silent', '/pings']:
    seen['aiohttp, receive(timeout=2), ' + path] = asyncio.run(with_aiohttp(path))
    seen['websocket-client, settimeout(2), ' + path] = with_websocket_client(path)
seen['aiohttp, wait_for(receive(), 2), /pings'] = asyncio.run(with_aiohttp('/pings', own_deadline=True))
for title, outcome in seen.items():
    print(f'{title}: {outcome}')
expected = ['timeout', 'timeout', 'a message', 'a message', 'timeout']
assert list(seen.values()) == expected, 'changed: the timeouts beside pings'
print('As described.')
PYTHON
