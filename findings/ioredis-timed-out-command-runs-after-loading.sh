#!/usr/bin/env bash
# One would guess: a command that ioredis has rejected with `Command timed out` was either sent, with its answer lost, or is
# never sent.
# What happens: while Redis loads its data, which may take minutes, the commands wait in the client, since the connection is
# not ready. `commandTimeout` rejects them, but leaves them in the queue, and as soon as Redis has loaded, all are sent.
# Seen with ioredis 6.0.0 and redis-server 7.0.15.
# For users: who tries again after the rejection, as one does, has the command carried out once for each try. Without the
# offline queue (`enableOfflineQueue: false`), or by ending the connection at the first timeout, none is.
set -euo pipefail
command -v redis-server >/dev/null || { echo 'redis-server has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" ioredis@6.0.0 >/dev/null || exit 2
echo "ioredis 6.0.0, redis-server $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'), Node.js $(node --version)"

port=$(node -p 'const server = require("node:net").createServer().listen(0); const { port } = server.address(); server.close(); port')
redis-server --port "$port" --bind 127.0.0.1 --dir "$dir" --rdbcompression no >redis.log &
first=$!
pids+=("$first")
until redis-cli -p "$port" ping >/dev/null 2>&1; do kill -0 "$first" || exit 2; sleep 0.1; done
for at in $(seq 100); do echo "SET key-$at $(printf 'x%.0s' $(seq 1000))"; done | redis-cli -p "$port" >/dev/null
redis-cli -p "$port" shutdown save >/dev/null 2>&1 || true
wait "$first" || true
# Now it loads for three seconds, and answers INFO meanwhile.
redis-server --port "$port" --bind 127.0.0.1 --dir "$dir" --key-load-delay 30000 \
  --loading-process-events-interval-bytes 1024 >redis.log &
pids+=($!)

cat >client.mjs <<'JS'
import Redis from 'ioredis';

const client = new Redis({ port: Number(process.argv[2]), commandTimeout: 300, maxRetriesPerRequest: null });
client.on('error', () => undefined); // until it listens
const outcomes = [];
for (let n = 0; n < 3; n++) outcomes.push(await client.incr('orders').catch((error) => error.message));
console.log('three tries while Redis loads:', outcomes.join(', '));
if (client.status !== 'ready') await new Promise((resolve) => client.once('ready', resolve));
// Behind all that has waited.
const orders = await client.get('orders');
console.log('orders, once it has loaded:', orders);
client.disconnect();
process.exit(outcomes.every((outcome) => outcome === 'Command timed out') && orders === '3' ? 0 : 1);
JS
if node client.mjs "$port"; then
  echo 'As described: what was rejected is carried out.'
else
  echo 'It has changed.'
  exit 1
fi
