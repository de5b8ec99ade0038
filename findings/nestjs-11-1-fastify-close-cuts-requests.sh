#!/usr/bin/env bash
# One would guess: `app.close()` of a Nest application on Fastify lets the requests finish that are being answered, as it does on
# Express: Nest 11.1.29, the newest of its line, pins its own Fastify and sets no option about connections.
# What happens: the Fastify that it pins, 5.11.0, cuts every connection at its close, since its default
# `forceCloseConnections: 'idle'` is taken for `true` there. The caller sees a reset connection, although the handler goes on
# and returns. The patch release 5.11.3, which Nest 11.2 pins, waits again.
# Seen with @nestjs/core 11.1.29 (fastify 5.11.0) and 11.2.10 (fastify 5.11.3).
# For users: a rolling restart of Nest 11.1 on Fastify loses requests in flight: update to 11.2, or wait for them before close().
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
for nest in '11.1.29 11.1.29' '11.2.10 11.2.8'; do
  read -r core fastify <<<"$nest"
  mkdir "$core"
  (
    cd "$core"
    npm init --yes >/dev/null
    npm install --loglevel=error --no-audit --no-fund "@nestjs/common@$core" "@nestjs/core@$core" \
      "@nestjs/platform-fastify@$fastify" reflect-metadata@0.2.2 rxjs@7.8.2 >/dev/null
  ) || exit 2
done

cat >close.cjs <<'NODE'
require('reflect-metadata');
const { Controller, Get, Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { FastifyAdapter } = require('@nestjs/platform-fastify');

setTimeout(() => process.exit(3), 60_000).unref();
let answer;
let arrived;
const arrival = new Promise((resolve) => (arrived = resolve));

class Pages {
  slow() {
    arrived();
    return new Promise((resolve) => (answer = resolve));
  }
}
Get('slow')(Pages.prototype, 'slow', Object.getOwnPropertyDescriptor(Pages.prototype, 'slow'));
Controller()(Pages);
class App {}
Module({ controllers: [Pages] })(App);

(async () => {
  const app = await NestFactory.create(App, new FastifyAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address();
  const response = fetch(`http://127.0.0.1:${port}/slow`).then(
    (got) => got.text(),
    ({ cause }) => `failed: ${cause.message}`,
  );
  await arrival;
  void app.close();
  // The server takes no more connections: the close is under way.
  while (app.getHttpServer().listening) await new Promise((resolve) => setImmediate(resolve));
  setTimeout(() => answer('answered'), 500);
  console.log(await response);
  process.exit(0);
})();
NODE
for core in 11.1.29 11.2.10; do cp close.cjs "$core/"; done
old=$(cd 11.1.29 && node close.cjs)
new=$(cd 11.2.10 && node close.cjs)
echo "Node.js $(node --version)"
echo "Nest 11.1.29, fastify $(node -p "require('./11.1.29/node_modules/fastify/package.json').version"): $old"
echo "Nest 11.2.10, fastify $(node -p "require('./11.2.10/node_modules/fastify/package.json').version"): $new"
[[ $old == failed:* ]] || { echo 'changed: the request is answered'; exit 1; }
[[ $new == answered ]] || { echo 'changed: the newer one cuts it too'; exit 1; }
echo 'As described.'
