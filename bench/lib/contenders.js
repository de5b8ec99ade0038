import { spawnSync } from 'node:child_process';
import { createECDH } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compiled } from './c-program.js';

/** Bun's own binary; its package puts it in place when it is run for the first time. */
const BUN = fileURLToPath(new URL('../node_modules/.bin/bun', import.meta.url));

/** Bun's version, or null where it does not run. */
export const bunVersion = (() => {
  if (!existsSync(BUN)) return null;
  const { status, stdout } = spawnSync(BUN, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
})();

const server = (file) => fileURLToPath(new URL(`../servers/${file}`, import.meta.url));
const node = (file) => [process.execPath, '--expose-gc', server(file)];
const bunAbsence = () => (bunVersion ? null : 'Bun does not run here');
/** The public key of every load client, which decrypts nothing: a point on P-256. */
const PUBLIC_KEY = createECDH('prime256v1').generateKeys('base64url');
const asEvent = (event, data) => JSON.stringify({ event, data });
const asJoin = (name) => asEvent('join', name);
const WELCOMED = { messages: 1 };

/**
 * Who is measured: how its server is started, what its clients connect to and are greeted with, and what a request
 * `(handler, data, id)` and one to join a room `(name, id)` look like. `id` is one digit. `receiver`: who takes what it
 * publishes, where that is another. `library`: what applications connect with. `absence()`: why it does not run here, or null.
 * `isListed`: messages that leave together are fewer bytes than alone.
 */
export const CONTENDERS = {
  'socket-write': {
    title: '`net.Socket.write` of a ready frame (the limit)',
    command: () => node('socket-write.js'),
    path: '/',
    greeting: WELCOMED,
  },
  ws: { title: 'ws', command: () => node('ws.js'), path: '/', greeting: WELCOMED, request: asEvent, join: asJoin },
  'platform-ws': {
    title: 'platform-ws gateway',
    command: () => node('platform-ws.js'),
    path: '/ws',
    greeting: WELCOMED,
    request: asEvent,
    join: asJoin,
  },
  'socket-io': {
    title: 'Socket.IO',
    command: () => node('socket-io.js'),
    library: 'socket-io',
    path: '/socket.io/?EIO=4&transport=websocket',
    // Engine.IO's open packet, answered by Socket.IO's connect, which the server confirms.
    greeting: { messages: 2, answer: '40' },
    request: (handler, data, id) => `42${id}${JSON.stringify([handler, data])}`,
    join: (name, id) => `42${id}${JSON.stringify(['join', name])}`,
  },
  'socket-io-sharded': {
    title: 'Socket.IO, sharded Redis adapter',
    command: () => [...node('socket-io.js'), 'sharded'],
    path: '/socket.io/?EIO=4&transport=websocket',
    greeting: { messages: 2, answer: '40' },
  },
  'socket-io-streams': {
    title: 'Socket.IO, connection state recovery on Redis Streams',
    command: () => [...node('socket-io.js'), 'streams'],
    library: 'socket-io',
    path: '/socket.io/?EIO=4&transport=websocket',
    greeting: { messages: 2, answer: '40' },
  },
  'c-send': {
    title: '`send()` in C of the joined frames of a turn, our bytes (the limit of any program)',
    command: () => [compiled(server('c-send.c'))],
    absence: () => (compiled(server('c-send.c')) ? null : 'No C compiler (`cc`) runs here'),
    path: '/',
    greeting: WELCOMED,
  },
  'socket-write-joined': {
    title: '`net.Socket.write` of the joined frames of a turn, our bytes (the limit of Node)',
    command: () => [...node('socket-write.js'), 'joined'],
    path: '/',
    greeting: WELCOMED,
  },
  bun: {
    title: 'Bun',
    command: () => [BUN, server('bun.js')],
    absence: bunAbsence,
    path: '/',
    greeting: WELCOMED,
    request: asEvent,
  },
  'bun-enveloped': {
    title: 'Bun, our bytes',
    command: () => [BUN, server('bun.js'), 'enveloped'],
    absence: bunAbsence,
    path: '/',
    greeting: WELCOMED,
  },
  'redis-write': {
    title: '`net.Socket.write` of a ready PUBLISH to our worker (the limit)',
    command: () => node('redis-write.js'),
    receiver: () => node('pxl.js'),
    path: '/ws',
    greeting: WELCOMED,
  },
  pxl: {
    title: 'nestjs-pxl-websocket',
    command: () => node('pxl.js'),
    library: 'pxl',
    path: '/ws',
    greeting: WELCOMED,
    request: (action, data, id) => JSON.stringify({ type: 'bench', action, data, id: String(id) }),
    join: (roomName, id) => JSON.stringify({ type: 'system', action: 'joinRoom', data: { roomName }, id: String(id) }),
  },
  'pxl-remote': {
    title: 'nestjs-pxl-websocket, a worker whose clients have no connections',
    command: () => node('pxl-remote.js'),
    path: '/ws',
    greeting: WELCOMED,
  },
  'pxl-history': {
    title: 'nestjs-pxl-websocket, rooms with history',
    command: () => node('pxl.js'),
    library: 'pxl',
    path: '/ws',
    greeting: WELCOMED,
  },
  'pxl-signed': {
    title: 'nestjs-pxl-websocket, signed (`cluster.secret`)',
    command: () => node('pxl-signed.js'),
    path: '/ws',
    greeting: WELCOMED,
  },
  'pxl-metrics': {
    title: 'nestjs-pxl-websocket, with `metrics.registry`',
    command: () => node('pxl-metrics.js'),
    path: '/ws',
    greeting: WELCOMED,
    request: (action, data, id) => JSON.stringify({ type: 'bench', action, data, id: String(id) }),
  },
  'pxl-context': {
    title: 'nestjs-pxl-websocket, with `requestContext`',
    command: () => node('pxl-context.js'),
    path: '/ws',
    greeting: WELCOMED,
    request: (action, data, id) => JSON.stringify({ type: 'bench', action, data, id: String(id) }),
  },
  'pxl-console': {
    title: 'nestjs-pxl-websocket, with the console, nobody looks',
    command: () => node('pxl-console.js'),
    path: '/ws',
    greeting: WELCOMED,
    request: (action, data, id) => JSON.stringify({ type: 'bench', action, data, id: String(id) }),
  },
  'pxl-looked-at': {
    title: 'nestjs-pxl-websocket, with the console, a page looks',
    command: () => node('pxl-console.js'),
    path: '/ws',
    greeting: WELCOMED,
    request: (action, data, id) => JSON.stringify({ type: 'bench', action, data, id: String(id) }),
  },
  'pxl-sampled': {
    title: 'nestjs-pxl-websocket, 1 % of the traces recorded',
    command: () => node('pxl-sampled.js'),
    path: '/ws',
    greeting: WELCOMED,
    request: (action, data, id) => JSON.stringify({ type: 'bench', action, data, id: String(id) }),
  },
  'pxl-traced': {
    title: 'nestjs-pxl-websocket, all traces recorded',
    command: () => node('pxl-traced.js'),
    path: '/ws',
    greeting: WELCOMED,
    request: (action, data, id) => JSON.stringify({ type: 'bench', action, data, id: String(id) }),
  },
  'pxl-encrypted': {
    title: 'nestjs-pxl-websocket, encrypted',
    command: () => node('pxl-encrypted.js'),
    path: `/ws?publicKey=${PUBLIC_KEY}`,
    greeting: WELCOMED,
  },
  'pxl-encrypted-lists': {
    title: 'nestjs-pxl-websocket, encrypted, clients that read lists',
    command: () => node('pxl-encrypted.js'),
    path: `/ws?publicKey=${PUBLIC_KEY}&sealed=lists`,
    greeting: WELCOMED,
    isListed: true,
  },
};

/** The same of a former build, whose `dist/index.js` the environment variable names. */
export const FORMER = '-former';
if (process.env.PXL_FORMER) {
  const isOurs = ([name]) => /^pxl(-|$)/.test(name);
  for (const [name, contender] of Object.entries(CONTENDERS).filter(isOurs)) {
    CONTENDERS[`${name}${FORMER}`] = {
      ...contender,
      title: `${contender.title}, former build`,
      command: () => ['env', `PXL_DIST=${process.env.PXL_FORMER}`, ...contender.command()],
    };
  }
}
