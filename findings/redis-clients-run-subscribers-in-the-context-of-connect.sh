#!/usr/bin/env bash
# One would guess: a listener of a subscribed Redis client runs outside of any request, or in the async context in which it was given to
# the client (`subscribe(channel, listener)`, `on('message', …)`), as callbacks and awaited commands do.
# What happens: all of them run in the context in which the client was connected, for good. With ioredis that is the `connect()`, or with
# `lazyConnect` the first command; it holds after reconnections too, as they are begun by what the first connection was. A command's own
# promise and callback keep the caller's context, so nothing hints at it.
# Seen with ioredis 6.0.0 and redis (node-redis) 6.3.1, Node.js 20: AsyncLocalStorage, on which OpenTelemetry's context and nestjs-cls
# stand.
# For users: a client that is connected by the first request which needs it writes that request's id and user into the log lines of every
# message of other people, for the life of the process; each message's span becomes a child of that one request's trace; and its store is
# kept as long as the connection. Connect such clients at start, or give listeners a context of their own: `storage.exit(…)`,
# `context.with(ROOT_CONTEXT, …)`, `AsyncResource.bind`.
set -euo pipefail
command -v redis-server >/dev/null || { echo 'redis-server has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
trap 'kill "${pid:-}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ioredis@6.0.0 redis@6.3.1 >/dev/null || exit 2
echo "ioredis 6.0.0, redis 6.3.1, redis-server $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'), Node.js $(node --version)"
port=$(node -e "const s = require('node:net').createServer().listen(0, () => { console.log(s.address().port); s.close(); });")
redis-server --port "$port" --save '' --dir "$dir" >/dev/null &
pid=$!
until redis-cli -p "$port" ping >/dev/null 2>&1; do kill -0 "$pid" || exit 2; sleep 0.1; done

cat >check.mjs <<'JS'
import { AsyncLocalStorage } from 'node:async_hooks';
import Redis from 'ioredis';
import { createClient } from 'redis';

const port = Number(process.argv[2]);
const request = new AsyncLocalStorage();
const publisher = new Redis({ port });
const seen = {};

/** Publishes until the listener has told in whose context it runs. */
async function heard(told) {
  for (;;) {
    await request.run('the sender', () => publisher.publish('news', 'x'));
    const context = await Promise.race([told.promise, new Promise((resolve) => setTimeout(resolve, 100))]);
    if (context) return context;
  }
}

function teller() {
  let tell;
  const promise = new Promise((resolve) => (tell = resolve));
  return { promise, listener: () => tell(request.getStore() ?? 'none') };
}

const lazy = new Redis({ port, lazyConnect: true });
await request.run('first request', () => lazy.get('some key'));
await request.run('second request', () => lazy.subscribe('news'));
let told = teller();
request.run('third request', () => lazy.on('message', told.listener));
seen['ioredis: on message'] = await heard(told);
lazy.disconnect(true);
const again = teller();
request.run('third request', () => lazy.on('message', again.listener));
seen['ioredis: reconnected'] = await heard(again);
seen['ioredis: a command'] = await request.run('fourth request', async () => (await publisher.get('key'), request.getStore()));

const client = createClient({ url: `redis://127.0.0.1:${port}` });
await request.run('first request', () => client.connect());
told = teller();
await request.run('second request', () => client.subscribe('news', told.listener));
seen['redis: subscribe(…, listener)'] = await heard(told);
console.table(seen);
const expected = ['first request', 'first request', 'fourth request', 'first request'];
process.exit(Object.values(seen).join() === expected.join() ? 0 : 1);
JS
if timeout 30 node check.mjs "$port"; then
  echo 'As described.'
else
  echo 'It has changed.'
  exit 1
fi
