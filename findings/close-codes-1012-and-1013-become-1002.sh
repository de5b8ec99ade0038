#!/usr/bin/env bash
# One would guess: the registered close codes 1012 (service restart) and 1013 (try again later) reach a client's close event, as 1001
# and 1011 do.
# What happens: faye-websocket (SockJS's server for Node.js is built on it) and Qt's QWebSocket take them for a breach of the
# protocol. The client hears 1002 and answers 1002, so the server counts a protocol error of its own restart. faye-websocket
# keeps the reason; Qt replaces it, and names the wrong code: "Invalid close code 1002 detected."
# Seen with faye-websocket 0.11.4, Qt 5.15 of Debian 12, and ws 8.23.0 as the server (and once, by hand, with Qt 6.4.2).
# For users: a policy "1013: wait longer" never acts there, and statistics of 1002 grow with each deploy. Codes of 3000 to 4999 get
# through in both.
set -euo pipefail
python=/usr/bin/python3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" faye-websocket@0.11.4 ws@8.23.0 >/dev/null || exit 2
mkdir debs
(cd debs && apt-get download python3-pyqt5 python3-pyqt5.sip python3-pyqt5.qtwebsockets libqt5core5a libqt5network5 \
  libqt5websockets5 libdouble-conversion3 libpcre2-16-0 libicu72) >apt.log 2>&1 ||
  { cat apt.log; echo 'PyQt5 of Debian 12 is needed: its packages could not be loaded by apt-get download.'; exit 2; }
for deb in debs/*.deb; do dpkg -x "$deb" root; done
export LD_LIBRARY_PATH=$dir/root/usr/lib/x86_64-linux-gnu PYTHONPATH=$dir/root/usr/lib/python3/dist-packages
"$python" -c 'from PyQt5.QtWebSockets import QWebSocket' || { echo 'PyQt5 of Debian 12 does not run here.'; exit 2; }
echo "faye-websocket $(node -p "require('$dir/node_modules/faye-websocket/package.json').version"), Node.js $(node --version)"
echo "Qt $("$python" -c 'from PyQt5.QtCore import qVersion; print(qVersion())')"

cat >client.py <<'PYTHON'
import sys
from PyQt5.QtCore import QCoreApplication, QUrl
from PyQt5.QtWebSockets import QWebSocket

app = QCoreApplication([])
socket = QWebSocket()

def closed():
    print(f'{int(socket.closeCode())} "{socket.closeReason()}"', flush=True)
    app.quit()

socket.disconnected.connect(closed)
socket.open(QUrl(sys.argv[1]))
app.exec()
PYTHON

cat >check.mjs <<'JS'
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import faye from 'faye-websocket';
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await once(server, 'listening');
const url = `ws://127.0.0.1:${server.address().port}`;

/** Each connects, and resolves with what its close event says. */
const clients = {
  'faye-websocket': () =>
    new Promise((resolve) => new faye.Client(url).on('close', ({ code, reason }) => resolve(`${code} "${reason}"`))),
  Qt: () => new Promise((resolve) => execFile('/usr/bin/python3', ['client.py', url], (_, out) => resolve(out.trim()))),
};
for (const [name, connect] of Object.entries(clients)) {
  for (const [code, expected] of [[1001, 1001], [1011, 1011], [1012, 1002], [1013, 1002], [4013, 4013]]) {
    const connection = once(server, 'connection');
    const client = connect();
    const [socket] = await connection;
    const closed = once(socket, 'close');
    socket.close(code, 'back soon');
    const [answer] = await closed;
    const heard = await client;
    console.log(`${name}: the server closes with ${code}; the client hears ${heard}, and answers ${answer}`);
    assert.equal(parseInt(heard), expected);
    assert.equal(answer, expected);
  }
}
process.exit();
JS
timeout 50 node check.mjs
echo 'As described.'
