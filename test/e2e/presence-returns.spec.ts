import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import {
  ClientManager,
  type PxlWebSocketModuleOptions,
  type WsCredentials,
  type WsIdentity,
} from 'nestjs-pxl-websocket';
import { WebSocketServer } from 'ws';
import { EncryptedClient } from '../support/encrypted-client.js';
import { startsOneApp, type TestApp } from '../support/test-app.js';
import { TestClient, type Received } from '../support/test-client.js';
import { identityOf } from '../support/url-identity.js';

interface Welcome {
  readonly resume?: string;
  readonly resumed?: boolean;
}

/** Comes in; resolves with all of its welcomes. */
type Enter = (app: TestApp, resume?: string) => Promise<Welcome[]>;

const CODECS = ['pxl.v1', 'event.v1'] as const;
const SECRET = /^[\w-]{16,64}$/;

const startApp = startsOneApp();

function start(options: PxlWebSocketModuleOptions, presence = true): Promise<TestApp> {
  return startApp({ options: { ...options, rooms: { presence } } });
}

/** Who authenticates by message is who it says; the others are anonymous. */
function authenticate({ data }: WsCredentials): WsIdentity {
  return identityOf((data as { userId?: string } | undefined)?.userId);
}

/** The url with what a client presents of its former connection. */
function urlWith(app: TestApp, resume?: string): string {
  return app.url(resume === undefined ? '/ws' : `/ws?${new URLSearchParams({ resume }).toString()}`);
}

function isWelcome({ type, action, event }: Pick<Received, 'type' | 'action' | 'event'>): boolean {
  return event === 'connected' || (type === 'system' && action === 'connected');
}

function byMessage(codec: string): Enter {
  return async (app, resume) => {
    const client = await TestClient.open(urlWith(app, resume), { protocols: [codec] });
    const data = { userId: 'ada' };
    client.send(
      codec === 'pxl.v1' ? { type: 'system', action: 'authenticate', data } : { event: 'authenticate', data },
    );
    const { data: welcome } = await client.take(isWelcome);
    return [welcome as Welcome];
  };
}

function encrypted(codec: (typeof CODECS)[number], message?: { userId: string }): Enter {
  return async (app, resume) => {
    const client = await EncryptedClient.connect(urlWith(app, resume), { codec, authenticate: message });
    return client.clear.filter((one) => isWelcome(one)).map(({ data }) => data as Welcome);
  };
}

it.each<[way: string, options: PxlWebSocketModuleOptions, enter: Enter]>(
  CODECS.flatMap((codec) => [
    [`by message, ${codec}`, { auth: { mode: 'message', authenticate } }, byMessage(codec)],
    [`encrypted, ${codec}`, { encryption: true }, encrypted(codec)],
    [
      `encrypted, with the key in its message, ${codec}`,
      { auth: { mode: 'message', authenticate }, encryption: true },
      encrypted(codec, { userId: 'ada' }),
    ],
  ]),
)('who comes in %s is told the secret of its next connection, and comes back by it once', async (_, options, enter) => {
  const app = await start(options);
  const [first] = await enter(app);
  expect(first).toMatchObject({ resume: expect.stringMatching(SECRET) });
  expect(first).not.toHaveProperty('resumed');
  // The former connection is still there.
  for (const resumed of [true, false]) expect((await enter(app, first!.resume)).at(-1)).toMatchObject({ resumed });
});

it('who is welcomed twice is told the same', async () => {
  const app = await start({ protocol: 'event', auth: { mode: 'either', authenticate } });
  const client = await TestClient.open(app.url());
  const { data } = await client.take(isWelcome);
  client.send({ event: 'authenticate', data: { userId: 'ada' } });
  const { data: again } = await client.take(isWelcome);
  expect(again).toMatchObject({ userId: 'ada', resume: (data as Welcome).resume });
});

it('an adopted socket is told its secret, too', async () => {
  const app = await start({});
  const others = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  others.on('connection', (ws) => app.app.get(ClientManager).addClient({ clientId: 'adopted', ws }));
  await once(others, 'listening');
  const client = await TestClient.open(`ws://127.0.0.1:${(others.address() as AddressInfo).port}`);
  const { data } = await client.take(isWelcome);
  expect(data).toMatchObject({ clientId: 'adopted', resume: expect.stringMatching(SECRET) });
  const back = await TestClient.open(urlWith(app, (data as Welcome).resume));
  expect((await back.take(isWelcome)).data).toMatchObject({ resumed: true });
  expect(await client.closed).toMatchObject({ code: 4506 });
  others.close();
});

it('where no room has presence there is no secret, and none is asked for', async () => {
  const app = await start({}, false);
  const client = await TestClient.open(urlWith(app, 'AAAAAAAAAAAAAAAAAAAAAA'));
  const { data } = await client.take(isWelcome);
  expect(data).not.toHaveProperty('resume');
  expect(data).not.toHaveProperty('resumed');
});
