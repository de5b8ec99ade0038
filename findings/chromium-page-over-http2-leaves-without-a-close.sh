#!/usr/bin/env bash
# One would guess: a page that is closed ends its WebSocket by a Close frame with 1001, whatever the WebSocket travels over.
# What happens: over HTTP/1.1 it does. Over HTTP/2 (RFC 8441) Chromium resets the stream, and no frame comes; behind HAProxy 2.6.12 and
# Apache 2.4.71, which offer that, the application's server tells 1006.
# Seen with Chromium 156 and Node.js 20 as the server.
# For users: who counts 1006 as faults of the network counts every page that is left, as soon as a proxy speaks HTTP/2. A close of the
# page's own (`socket.close(1000)`) arrives.
set -euo pipefail
for program in chromium openssl; do command -v "$program" >/dev/null || { echo "$program has to be on PATH."; exit 2; }; done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" playwright-core@1.65.1 >/dev/null || exit 2
echo "$(chromium --version 2>/dev/null), Node.js $(node --version)"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out cert.pem -subj /CN=localhost 2>/dev/null

CHROMIUM=$(command -v chromium) node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { setTimeout as wait } from 'node:timers/promises';
import { chromium } from 'playwright-core';

setTimeout(() => assert.fail('not finished within a minute'), 60_000).unref();
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const PAGE = '<!doctype html><p>a page';

/** The opcodes of the frames of a page's WebSocket, and how its stream or connection has ended. */
const heard = { 'HTTP/1.1': [], 'HTTP/2': [] };
const plain = createServer((_, response) => response.setHeader('content-type', 'text/html').end(PAGE));
plain.on('upgrade', ({ headers }, socket) => {
  const accept = createHash('sha1').update(headers['sec-websocket-key'] + GUID).digest('base64');
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket'];
  socket.write([...lines, `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n'));
  socket.on('error', () => {}).on('data', (bytes) => heard['HTTP/1.1'].push(`opcode ${bytes[0] & 15}`));
});
const settings = { enableConnectProtocol: true };
const secure = createSecureServer({ key: readFileSync('key.pem'), cert: readFileSync('cert.pem'), settings });
secure.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  stream.respond({ ':status': 200, 'content-type': 'text/html' });
  if (headers[':protocol'] !== 'websocket') return stream.end(PAGE);
  stream.on('data', (bytes) => heard['HTTP/2'].push(`opcode ${bytes[0] & 15}`));
  stream.on('close', () => heard['HTTP/2'].push(`reset ${stream.rstCode}`));
});

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
for (const [server, scheme] of [[plain, 'http'], [secure, 'https']]) {
  await once(server.listen(0), 'listening');
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const url = `://localhost:${server.address().port}/`;
  await page.goto(scheme + url);
  const socket = `new WebSocket('${scheme.replace('http', 'ws')}${url}ws')`;
  await page.evaluate(`new Promise((resolve, reject) => Object.assign(${socket}, { onopen: resolve, onerror: reject }))
    .then(() => {})`);
  await page.close();
  await wait(500);
}
await browser.close();
for (const [over, what] of Object.entries(heard)) console.log(`the page is closed, over ${over}: ${what.join(', ') || 'nothing'}`);
assert.deepEqual(heard['HTTP/1.1'], ['opcode 8']);
assert.deepEqual(heard['HTTP/2'], ['reset 8']);
process.exit();
NODE
