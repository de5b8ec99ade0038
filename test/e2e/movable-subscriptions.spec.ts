import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { MovableSubscriptions } from '../../lib/redis/subscriptions/movable-subscriptions.js';
import { connectionSettings } from '../../lib/redis/link/redis-settings.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { RedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';

let former: RedisServer;
let next: RedisServer;
/** A node that takes connections and answers nothing. */
let silent: Server;

beforeEach(async () => {
  silent = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  [former, next] = await Promise.all([RedisServer.start(), RedisServer.start(), once(silent, 'listening')]);
});

afterEach(() => {
  silent.close();
  return Promise.all([former.stop(), next.stop()]);
});

it('subscriptions are up again by the node that they go to, when the former one dies and is not to be replaced', async () => {
  const told: string[] = [];
  // The present connection, its own attempts to come back, and between them the one that takes its place.
  const ports = [former.port, silentPort(), next.port];
  const create = (): Redis =>
    new Redis({ port: ports.shift() ?? silentPort(), host: '127.0.0.1', ...connectionSettings('test') });
  const subscriptions = new MovableSubscriptions(
    create,
    {
      up: () => void told.push('up'),
      down: () => void told.push('down'),
      message: (channel, payload) => void told.push(`${channel} ${payload.toString()}`),
      refused: () => undefined,
      allowed: () => undefined,
    },
    new Runtime(),
  );
  subscriptions.want('news');
  for (const pattern of ['tea:*', 'chess:*']) subscriptions.wantPattern(pattern);
  subscriptions.start();
  await until(() => told.length > 0);
  subscriptions.stayWith(() => false);
  await former.stop();
  await until(() => subscriptions.isUp && told.includes('down'));
  await next.command('PUBLISH', 'news', 'flash');
  await until(() => told.includes('news flash'));
  for (const room of ['tea:1', 'chess:1']) await next.command('PUBLISH', room, 'move');
  await until(() => told.length >= 6);
  await subscriptions.stop();
  expect(told.slice(0, 6)).toEqual(['up', 'down', 'up', 'news flash', 'tea:1 move', 'chess:1 move']);
});

function silentPort(): number {
  return (silent.address() as AddressInfo).port;
}
