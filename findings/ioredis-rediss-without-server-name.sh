#!/usr/bin/env bash
# One would guess: `new Redis('rediss://cache.example.com')` tells the server in the TLS handshake which name it wants
# (SNI), as `https://` does; after all the certificate is checked against that very name.
# What happens: the name is checked but never sent. Node's `tls.connect` sends only `servername`, and ioredis does not
# fill it in from the URL. `tls: { servername }` does send it.
# Seen with ioredis 6.0.0 and Node.js 20.
# For users: behind a proxy that chooses by server name (one address for many databases) a correct `rediss://` URL gets
# the wrong certificate or no connection, while the same URL works where the server has a single certificate.
set -euo pipefail
command -v openssl >/dev/null || { echo 'openssl has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ioredis@6.0.0 >/dev/null || exit 2
echo "ioredis 6.0.0, Node.js $(node --version)"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout key.pem -out cert.pem \
  -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null

node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { createServer } from 'node:tls';
import { Redis } from 'ioredis';

setTimeout(() => assert.fail('not finished within a minute'), 60_000).unref();
const key = readFileSync('key.pem');
const ca = readFileSync('cert.pem');
const server = createServer({ key, cert: ca }, (socket) => socket.on('error', () => {}));
await once(server.listen(0), 'listening');
const { port } = server.address();

async function nameSentBy(connect) {
  const accepted = once(server, 'secureConnection');
  const close = connect();
  const [socket] = await accepted;
  close();
  socket.destroy();
  return socket.servername || 'none';
}
function redis(tls) {
  const client = new Redis(`rediss://localhost:${port}`, { tls: { ca, ...tls }, retryStrategy: null });
  client.on('error', () => {});
  return () => client.disconnect();
}
const byUrl = await nameSentBy(() => redis({}));
const byOption = await nameSentBy(() => redis({ servername: 'localhost' }));
const byHttps = await nameSentBy(() => {
  const request = https.get({ host: 'localhost', port, ca }).on('error', () => {});
  return () => request.destroy();
});
// The certificate is for localhost alone, so by address the check has to refuse it.
const byAddress = new Redis(`rediss://127.0.0.1:${port}`, { tls: { ca }, retryStrategy: null });
const [refusal] = await once(byAddress, 'error');

console.log(`name sent with rediss://localhost:         ${byUrl}`);
console.log(`name sent with tls: { servername }:        ${byOption}`);
console.log(`name sent with https://localhost:          ${byHttps}`);
console.log(`the certificate is checked all the same:   ${refusal.code} for rediss://127.0.0.1`);
assert.equal(byUrl, 'none', 'changed: the URL is enough');
assert.deepEqual([byOption, byHttps], ['localhost', 'localhost'], 'changed: the name is not sent');
assert.equal(refusal.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
console.log('As described.');
process.exit(0);
NODE
