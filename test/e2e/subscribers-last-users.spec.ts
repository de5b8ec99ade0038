import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { defineWebSocketSubscriber } from 'nestjs-pxl-websocket';
import { RedisServer } from '../support/redis-server.js';
import { startApp } from '../support/test-app.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

let redis: RedisServer;

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(() => redis.stop());

it('a worker that stops still hears that the sessions of its last users have ended', async () => {
  const heard: string[] = [];
  const subscriber = defineWebSocketSubscriber({
    channel: 'userDisconnected',
    run: 'oneWorker',
    handle: ({ message }) => void heard.push(message.userId),
  });
  const options = { redis: redis.url, auth: { authenticate: urlIdentity }, subscribers: [subscriber] };
  const app = await startApp({ options });
  const ids = Array.from({ length: 8 }, (_, at) => String(at));
  await Promise.all(ids.map((userId) => connectAs(app, { userId })));
  await app.close();
  expect(heard.sort()).toEqual(ids);
});
