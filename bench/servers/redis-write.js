import { once } from 'node:events';
import { connect } from 'node:net';
import { writeWsEnvelope } from '../../dist/cluster/bus/envelope-text.js';
import { serve } from './harness.js';

/** A ready command is made anew so often, ms: workers drop envelopes that are ten seconds old. */
const LIFETIME = 5_000;

const commands = new Map();
let redis;

/** The limit of what Node can do with one write per broadcast: a ready PUBLISH on a bare socket, its answer not read. */
serve({
  async start({ redis: url }) {
    const { hostname, port } = new URL(url);
    redis = connect(Number(port), hostname);
    await once(redis, 'connect');
    redis.setNoDelay(true);
    redis.resume();
    return 0;
  },

  sendToRoom(name, text) {
    redis.write(readyCommand(name, text));
  },
});

function readyCommand(room, text) {
  const known = commands.get(text);
  if (known && performance.now() - known.madeAt < LIFETIME) return known.command;
  const message = { type: 'bench', action: 'message', data: text };
  const content = { kind: 'message', text: JSON.stringify(message) };
  const envelope = { target: { kind: 'rooms', roomNames: [room] }, exclude: [], isVolatile: false, content };
  const payload = writeWsEnvelope(envelope, { origin: null, sentAt: Date.now() });
  const parts = ['PUBLISH', `pxl:room:${room}`, payload];
  const command = Buffer.from(`*3\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`);
  commands.set(text, { command, madeAt: performance.now() });
  return command;
}
