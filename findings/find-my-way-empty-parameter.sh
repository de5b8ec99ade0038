#!/usr/bin/env bash
# One would guess: `/ws/:tenant` needs a tenant, in Fastify as in Express, so that `/ws/` is answered with 404.
# What happens: find-my-way, Fastify's router, matches `/ws/` too, and the handler runs with an empty text as the tenant.
# Express 5 answers with 404. `/ws`, without the slash, is 404 in both.
# Seen with find-my-way 9.10.0, fastify 5.12.8 and express 5.3.0.
# For users: give the parameter a pattern (`/ws/:tenant(^.+$)`) or a schema with `minLength: 1`, or refuse the empty text in the
# handler; take care when an application moves from Express.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" find-my-way@9.10.0 fastify@5.12.8 express@5.3.0 >/dev/null || exit 2
echo "find-my-way 9.10.0, fastify 5.12.8, express 5.3.0, Node.js $(node --version)"

cat >routes.mjs <<'JS'
import express from 'express';
import fastify from 'fastify';
import findMyWay from 'find-my-way';

const tell = async (title, port, path) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  console.log(`${title} ${path}: ${response.status === 200 ? await response.text() : response.status}`);
};

const router = findMyWay();
router.on('GET', '/ws/:tenant', () => {});
console.log('find-my-way /ws/:', JSON.stringify(router.find('GET', '/ws/')?.params));

const byFastify = fastify();
byFastify.get('/ws/:tenant', (request) => JSON.stringify(request.params));
byFastify.get('/strict/:tenant(^.+$)', (request) => JSON.stringify(request.params));
await byFastify.listen({ port: 0, host: '127.0.0.1' });
const byExpress = express();
byExpress.get('/ws/:tenant', (request, response) => response.send(JSON.stringify(request.params)));
const server = byExpress.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));

for (const path of ['/ws/a', '/ws/', '/ws', '/strict/a', '/strict/'])
  await tell('Fastify', byFastify.server.address().port, path);
for (const path of ['/ws/a', '/ws/', '/ws']) await tell('Express', server.address().port, path);
process.exit(0);
JS
seen=$(timeout 60 node routes.mjs) || exit 2
echo "$seen"
expected='find-my-way /ws/: {"tenant":""}
Fastify /ws/a: {"tenant":"a"}
Fastify /ws/: {"tenant":""}
Fastify /ws: 404
Fastify /strict/a: {"tenant":"a"}
Fastify /strict/: 404
Express /ws/a: {"tenant":"a"}
Express /ws/: 404
Express /ws: 404'
[ "$seen" = "$expected" ] || { echo 'changed'; exit 1; }
echo 'As described.'
