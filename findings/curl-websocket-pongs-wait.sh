#!/usr/bin/env bash
# One would guess: libcurl answers a ping as soon as it has read it, since `curl_ws_recv` replies by itself unless
# `CURLWS_NOAUTOPONG` is set.
# What happens: the pong is kept until a message comes in or is sent, and of several only the newest is kept and goes out then.
# A client that listens in a quiet hour answers no ping at all, and a server with a heartbeat takes it for dead.
# Seen with curl_cffi 0.16.3 (libcurl 8.21.0) on Python 3, and ws 8.23.0 as the server.
# For users: set `CURLWS_NOAUTOPONG`, and send the pongs by `curl_ws_send`, which the script shows.
set -euo pipefail
command -v python3 >/dev/null || { echo 'python3 has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ws@8.23.0 >/dev/null || exit 2
python3 -m venv venv || exit 2
venv/bin/pip install --quiet --disable-pip-version-check curl_cffi==0.16.3 || exit 2

# The server pings five times, sends one message, and tells which pongs have come before that message and in all.
cat >server.mjs <<'NODE'
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
const server = new WebSocketServer({ port: 0 }, () => writeFileSync('port', String(server.address().port)));
server.on('connection', async (socket) => {
  const pongs = [];
  socket.on('pong', (data) => pongs.push(String(data)));
  for (const ping of ['1', '2', '3', '4', '5']) {
    socket.ping(ping);
    await sleep(200);
  }
  const count = pongs.length;
  socket.send('a message');
  await sleep(500);
  const list = (some) => some.join(' ') || 'none';
  socket.send(`${list(pongs.slice(0, count))}; after it: ${list(pongs.slice(count))}`);
});
NODE
node server.mjs &
pids+=($!)
until [ -s port ]; do sleep 0.1; done

cat >client.py <<'PYTHON'
import select
from curl_cffi import CurlError, CurlInfo, CurlOpt, CurlWsFlag, WebSocket, __version__, __curl_version__
from curl_cffi.const import CurlECode

NO_AUTO_PONG = 2
url = 'ws://127.0.0.1:' + open('port').read()

def listen(own_pongs):
    socket = WebSocket(autoclose=False)
    socket.connect(url, curl_options={CurlOpt.WS_OPTIONS: NO_AUTO_PONG} if own_pongs else {})
    texts = []
    while len(texts) < 2:
        try:
            part, frame = socket.recv_fragment()
        except CurlError as error:
            if error.code != CurlECode.AGAIN:
                raise
            select.select([socket.curl.getinfo(CurlInfo.ACTIVESOCKET)], [], [])
            continue
        if frame.flags & CurlWsFlag.PING:
            socket.curl.ws_send(part, CurlWsFlag.PONG)
        elif frame.flags & CurlWsFlag.TEXT:
            texts.append(part.decode())
    socket.terminate()
    return texts[1]

print(f'curl_cffi {__version__}, {__curl_version__.split()[0]}')
seen = [listen(False), listen(True)]
print('pongs of curl before the message:', seen[0])
print('own pongs before the message:', seen[1])
if seen != ['none; after it: 5', '1 2 3 4 5; after it: none']:
    raise SystemExit('changed: when pongs go out')
print('As described.')
PYTHON
timeout 60 venv/bin/python client.py || { [ $? = 1 ] && exit 1 || exit 2; }
