#!/usr/bin/env bash
# One would guess: PUBLISH in a Redis Cluster reaches the subscribers of another node as long as all nodes are there, no failover happens
# and no subscriber is disconnected: between nodes there is TCP, so a node that stood still for a moment gets what was sent meanwhile.
# What happens: a node that has not answered for half of cluster-node-timeout is connected to anew by the others, long before anybody
# calls it failing. They close its link, and make another one at their next look, a tenth of a second later; what is published between
# goes nowhere. All that was sent before and after it arrives. The subscribers of that node lose some messages in the middle: their own
# connections stay open, cluster_state is ok all the time, PUBLISH reports nothing. With a shorter pause all messages arrive.
# Seen with redis-server 7.0.15, three masters, cluster-node-timeout 4 s, a message each 30 ms: after 1 s of pause all 100 had arrived,
# after 3 s 97.
# For users: a node that is short of CPU for some seconds loses messages for its subscribers, without a trace. Keep
# cluster-node-timeout at its default (15 s) or above for live messages, and number what must not be lost.
set -euo pipefail
command -v redis-server >/dev/null || { echo 'redis-server has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
trap 'for pid in "${pids[@]:-}"; do kill -CONT "$pid" 2>/dev/null || true; kill "$pid" 2>/dev/null || true; done; wait; rm -rf "$dir"' EXIT
cd "$dir"
echo "redis-server $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'), Node.js $(node --version), $(uname -s)"
pids=()
ports=()
for node in 1 2 3; do
  # The port of the bus is 10,000 above it.
  port=$(node -e "
    const { createServer } = require('node:net');
    const look = (port) => createServer().once('error', () => look(port + 7)).listen(port, function () {
      const bus = createServer().once('error', () => { this.close(); look(port + 7); }).listen(port + 10000, () => {
        console.log(port); this.close(); bus.close();
      });
    });
    look(21000 + Math.floor(Math.random() * 20000));")
  mkdir "$node"
  redis-server --port "$port" --save '' --dir "$dir/$node" --cluster-enabled yes --cluster-node-timeout 4000 >/dev/null &
  pids+=("$!")
  ports+=("$port")
done

cat >check.mjs <<'JS'
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const numbers = process.argv.slice(2).map(Number);
const [ports, pids] = [numbers.slice(0, 3), numbers.slice(3)];

async function client(port) {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const opened = await new Promise((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)));
    if (opened) return socket;
    await wait(50);
  }
}

async function ask(socket, command) {
  socket.write(`${command}\r\n`);
  return String((await once(socket, 'data'))[0]);
}

const nodes = await Promise.all(ports.map(client));
for (const [at, node] of nodes.entries()) {
  await ask(node, `CLUSTER ADDSLOTSRANGE ${at * 5_461} ${at === 2 ? 16_383 : (at + 1) * 5_461 - 1}`);
  await ask(node, `CLUSTER SET-CONFIG-EPOCH ${at + 1}`);
}
for (const port of ports.slice(1)) await ask(nodes[0], `CLUSTER MEET 127.0.0.1 ${port}`);
const isWhole = async (node) => {
  const [info, links] = [await ask(node, 'CLUSTER INFO'), await ask(node, 'CLUSTER LINKS')];
  return /cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info) && links.startsWith('*4');
};
while (!(await Promise.all(nodes.map(isWhole))).every(Boolean)) await wait(100);

/** Messages of another node that a subscriber has got whose node stood still for so long while they were published. */
async function afterPauseOf(ms) {
  const subscriber = await client(ports[2]);
  let [heard, isOpen] = ['', true];
  await ask(subscriber, 'SUBSCRIBE news');
  subscriber.on('data', (data) => (heard += data)).on('close', () => (isOpen = false));
  await ask(nodes[0], 'PUBLISH news begin');
  while (!heard.includes('begin')) await wait(20);
  const states = new Set();
  process.kill(pids[2], 'SIGSTOP');
  for (let at = 0; at < 100; at++) {
    await ask(nodes[0], `PUBLISH news number-${at}-`);
    const [info, list] = [await ask(nodes[0], 'CLUSTER INFO'), await ask(nodes[0], 'CLUSTER NODES')];
    states.add(/cluster_state:\w+/.exec(info)[0] + (/fail/.test(list) ? ', failing' : ''));
    await wait(ms / 100);
  }
  process.kill(pids[2], 'SIGCONT');
  // Once they are whole again a later message comes, so nothing is on its way any more.
  for (let again = 0; !heard.includes('end'); again++) {
    assert.ok(again < 100);
    await ask(nodes[0], 'PUBLISH news end');
    await wait(100);
  }
  subscriber.destroy();
  return { pause: ms, messages: new Set(heard.match(/number-\d+-/g)).size, isOpen, states: [...states].join(' ') };
}

// Only links that are older than cluster-node-timeout are made anew.
await wait(5_000);
const [short, long] = [await afterPauseOf(1_000), await afterPauseOf(3_000)];
console.table([short, long]);
assert.deepEqual(short, { pause: 1_000, messages: 100, isOpen: true, states: 'cluster_state:ok' });
assert.ok(long.messages < 100);
assert.deepEqual({ ...long, messages: 0 }, { pause: 3_000, messages: 0, isOpen: true, states: 'cluster_state:ok' });
process.exit();
JS
timeout 60 node check.mjs "${ports[@]}" "${pids[@]}"
echo 'As described.'
