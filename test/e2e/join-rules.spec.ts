import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ForbiddenException, Injectable } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import {
  PxlWebSocketServer,
  type WsRoomAuthorizer,
  type WsRoomOptions,
  type WsRoomRequest,
  type WsRoomVerdict,
  type WsCredentials,
} from 'nestjs-pxl-websocket';
import { of } from 'rxjs';
import { Runtime } from '../../lib/runtime/runtime.js';
import { failureOf } from '../support/failure-of.js';
import { Gate } from '../support/gate.js';
import { Logbook } from '../support/logbook.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { THROWN_REFUSALS } from '../support/thrown-refusals.js';

const apps: TestApp[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

const authenticate = ({ request }: WsCredentials): { userId: string } => ({
  userId: request.url.split('?')[1] ?? 'nobody',
});

async function start(rooms: WsRoomOptions, more: TestAppOptions = {}): Promise<TestApp> {
  const app = await startApp({ ...more, options: { auth: { authenticate }, heartbeat: false, rooms } });
  apps.push(app);
  return app;
}

const roomsOf = (app: TestApp): string[] => [...app.app.get(PxlWebSocketServer).rooms.keys()];

describe('rooms.authorize', () => {
  it.each<[string, WsRoomVerdict | Promise<WsRoomVerdict>, string | null]>([
    ['true', true, null],
    ['a promise of true', Promise.resolve(true), null],
    ['an object', { badge: 'gold' }, null],
    ['false', false, 'FORBIDDEN'],
    ['a promise of false', Promise.resolve(false), 'FORBIDDEN'],
    ['null, which is no yes', null as never, 'FORBIDDEN'],
    ['nothing, which is no yes', undefined as never, 'FORBIDDEN'],
  ])('that answers %s', async (_what, verdict, code) => {
    const app = await start({ authorize: () => verdict });
    const client = await app.client({ path: '/ws?ada' });
    const join = client.request('system', 'joinRoom', { roomName: 'tea' });
    if (code) await expect(join).rejects.toThrow(code);
    else expect(await join).toMatchObject({ success: true, data: { roomName: 'tea' } });
    expect(roomsOf(app)).toEqual(code ? [] : ['tea']);
  });

  it('lets nobody in by what is neither true nor a profile, and the log says what it was', async () => {
    const odd: Record<string, [unknown, string]> = {
      text: ['other room', 'a text'],
      number: [1, 'a number'],
      list: [[], 'a list'],
      error: [new ForbiddenException('secret'), 'an error'],
      observable: [of(false), 'an Observable'],
      map: [new Map(), 'an object'],
    };
    const logger = new Logbook();
    const app = await start({ authorize: ({ roomName }) => odd[roomName]?.[0] as WsRoomVerdict }, { logger });
    const client = await app.client({ path: '/ws?ada' });
    for (const [roomName, [, kind]] of Object.entries(odd)) {
      await expect(client.request('system', 'joinRoom', { roomName })).rejects.toThrow('FORBIDDEN');
      const line = `rooms.authorize failed. It has answered ${kind}, not true, false or the profile of a member.`;
      expect(logger.of('error').at(-1)).toBe(line);
    }
    expect(roomsOf(app)).toEqual([]);
  });

  it('is asked about each room that a client asks for, and never widens it', async () => {
    const asked: string[] = [];
    const app = await start({
      authorize: ({ client, roomName }) => {
        asked.push(`${client.user?.userId} ${roomName}`);
        return roomName === 'tea' && { rooms: ['secret'], roomName: 'secret' };
      },
    });
    const client = await app.client({ path: '/ws?ada' });
    await client.request('system', 'joinRoom', { roomName: 'tea', rooms: ['secret'], userId: 'eve' });
    await expect(client.request('system', 'joinRoom', { roomName: 'secret' })).rejects.toThrow('FORBIDDEN');
    expect(asked).toEqual(['ada tea', 'ada secret']);
    expect(roomsOf(app)).toEqual(['tea']);
  });

  it('may throw: what is an answer reaches the client, what is a defect does not', async () => {
    const app = await start({
      authorize: ({ roomName }) => {
        if (roomName === 'closed') throw new ForbiddenException('The room is closed.');
        throw new Error('secret');
      },
    });
    const client = await app.client({ path: '/ws?ada' });
    await expect(client.request('system', 'joinRoom', { roomName: 'closed' })).rejects.toThrow(
      'FORBIDDEN: The room is closed.',
    );
    await expect(client.request('system', 'joinRoom', { roomName: 'tea' })).rejects.toThrow(
      'INTERNAL: Internal error.',
    );
  });

  it('may throw what refuses an authentication: the room is refused, and it is no defect', async () => {
    const logger = new Logbook();
    const authorize = ({ roomName }: WsRoomRequest): never => {
      throw THROWN_REFUSALS[Number(roomName)]?.[1];
    };
    const app = await start({ authorize }, { logger });
    const client = await app.client({ path: '/ws?ada' });
    for (const [roomName, [what, thrown, outcome]] of THROWN_REFUSALS.entries()) {
      const join = client.request('system', 'joinRoom', { roomName: String(roomName) });
      const { code } = await join.then(
        () => ({ code: 'joined' }),
        (error: unknown) => ({ code: (error as Error).message.split(':')[0] }),
      );
      // A WsException is an answer to the client, whatever it holds.
      const isRefused = outcome && !(thrown instanceof WsException);
      const codes = isRefused ? /^(UNAUTHENTICATED|FORBIDDEN)$/ : /^(?!joined)/;
      expect([what, code]).toEqual([what, expect.stringMatching(codes)]);
    }
    expect(roomsOf(app)).toEqual([]);
    expect(logger.of('error').join('\n')).not.toMatch(/jwt|TokenExpired|signature/);
  });

  it('may be a class with dependencies', async () => {
    @Injectable()
    class Memberships {
      readonly of = new Map([['ada', 'tea']]);
    }
    @Injectable()
    class Rule implements WsRoomAuthorizer {
      constructor(private readonly memberships: Memberships) {}

      authorize({ client, roomName }: WsRoomRequest): boolean {
        return this.memberships.of.get(client.user?.userId ?? '') === roomName;
      }
    }
    const app = await start({ authorize: Rule }, { providers: [Rule, Memberships] });
    const client = await app.client({ path: '/ws?ada' });
    await client.request('system', 'joinRoom', { roomName: 'tea' });
    await expect(client.request('system', 'joinRoom', { roomName: 'chess' })).rejects.toThrow('FORBIDDEN');
    expect(await failureOf({ options: { rooms: { authorize: Rule } } })).toContain('Nest cannot make Rule');
  });

  it('does not put in a client that left while the rule was pending', async () => {
    const [asked, gate] = [new Gate(), new Gate<boolean>()];
    const app = await start({
      authorize: () => {
        asked.open();
        return gate.passed;
      },
      announce: true,
    });
    const client = await app.client({ path: '/ws?ada' });
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'tea' }, id: 1 });
    await asked.passed;
    app.app.get(PxlWebSocketServer).leaveRoom({ clientId: client.clientId, roomName: 'tea' });
    gate.open(true);
    expect(await client.take(({ id }) => id === 1)).toMatchObject({ data: { code: 'CONFLICT' } });
    expect(roomsOf(app)).toEqual([]);
  });

  it('does not put in a client that disconnected while the rule was pending', async () => {
    const [asked, gate, gone] = [new Gate(), new Gate<boolean>(), new Gate()];
    const app = await start({
      authorize: ({ client }) => {
        client.ws.once('close', () => gone.open());
        asked.open();
        return gate.passed;
      },
    });
    const client = await app.client({ path: '/ws?ada' });
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'tea' } });
    await asked.passed;
    await client.close();
    await gone.passed;
    gate.open(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(roomsOf(app)).toEqual([]);
  });

  it('is not asked when the server itself puts a client in, even while it is pending', async () => {
    const [asked, gate] = [new Gate(), new Gate<boolean>()];
    const app = await start({
      authorize: () => {
        asked.open();
        return gate.passed;
      },
    });
    const client = await app.client({ path: '/ws?ada' });
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'tea' }, id: 1 });
    await asked.passed;
    const server = app.app.get(PxlWebSocketServer);
    expect(await server.joinRoom({ clientId: client.clientId, roomName: 'tea' })).toBe(true);
    gate.open(false);
    expect(await client.take(({ id }) => id === 1)).toMatchObject({ data: { code: 'FORBIDDEN' } });
    expect([...(server.rooms.get('tea') ?? [])]).toEqual([client.clientId]);
  });

  it('that never settles is answered TIMEOUT after timeouts.hook', async () => {
    const clock = new ManualRuntime();
    const asked = new Gate();
    const app = await startApp({
      options: {
        heartbeat: false,
        timeouts: { hook: 2_000 },
        rooms: {
          authorize: () => {
            asked.open();
            return new Promise<boolean>(() => undefined);
          },
        },
      },
      override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
    });
    apps.push(app);
    const client = await app.client();
    client.send({ type: 'system', action: 'joinRoom', data: { roomName: 'tea' } });
    await asked.passed;
    await clock.advance(2_000);
    expect(await client.next('error')).toMatchObject({ data: { code: 'TIMEOUT' } });
  });

  describe('once the client was told TIMEOUT by timeouts.handler', () => {
    /** The rooms whose rule has been asked, and that answer yes once they are opened. */
    let gates: Record<string, Gate<boolean>>;
    let clock: ManualRuntime;
    let app: TestApp;
    let client: Awaited<ReturnType<TestApp['client']>>;

    beforeEach(async () => {
      gates = { slow: new Gate<boolean>(), slower: new Gate<boolean>() };
      clock = new ManualRuntime();
      app = await startApp({
        options: {
          heartbeat: false,
          timeouts: { handler: 2_000 },
          rooms: { authorize: ({ roomName }) => gates[roomName]?.passed ?? true },
        },
        override: (builder) => builder.overrideProvider(Runtime).useValue(clock),
      });
      apps.push(app);
      client = await app.client();
    });

    async function tooLate(action: string, data: unknown): Promise<void> {
      client.send({ type: 'system', action, data, id: 1 });
      await client.request('system', 'ping');
      await clock.advance(2_000);
      expect(await client.take(({ id }) => id === 1)).toMatchObject({ data: { code: 'TIMEOUT' } });
    }

    async function allow(): Promise<void> {
      for (const gate of Object.values(gates)) gate.open(true);
      await client.request('system', 'ping');
    }

    it('does not put it in any more', async () => {
      await tooLate('joinRoom', { roomName: 'slow' });
      await allow();
      expect(roomsOf(app)).toEqual([]);
    });

    it('takes it out of those of a list that it was in by then, but not out of those that it was in before', async () => {
      await client.request('system', 'joinRoom', { roomName: 'before' });
      await tooLate('join', { rooms: ['before', 'tea', 'slow'] });
      expect(roomsOf(app)).toEqual(['before']);
      await allow();
      expect(roomsOf(app)).toEqual(['before']);
    });

    it('leaves it where the server has put it meanwhile', async () => {
      const server = app.app.get(PxlWebSocketServer);
      client.send({ type: 'system', action: 'join', data: { rooms: ['tea', 'slow', 'slower'] }, id: 1 });
      await client.request('system', 'ping');
      for (const roomName of ['tea', 'slow']) await server.joinRoom({ clientId: client.clientId, roomName });
      await clock.advance(2_000);
      expect(await client.take(({ id }) => id === 1)).toMatchObject({ data: { code: 'TIMEOUT' } });
      await allow();
      expect(roomsOf(app)).toEqual(['tea', 'slow']);
    });

    it('puts it in when it asks again', async () => {
      await tooLate('joinRoom', { roomName: 'slow' });
      const again = client.request('system', 'joinRoom', { roomName: 'slow' });
      await client.request('system', 'ping');
      await allow();
      expect(await again).toMatchObject({ success: true });
      expect(roomsOf(app)).toEqual(['slow']);
    });
  });

  it('opens nothing where open: false is given beside it', async () => {
    const app = await start({ authorize: () => true, open: false });
    const client = await app.client({ path: '/ws?ada' });
    await expect(client.request('system', 'joinRoom', { roomName: 'tea' })).rejects.toThrow('FORBIDDEN');
  });
});

describe('rooms.profile', () => {
  it('is what the other members see, with what the rule said, until the member has left', async () => {
    const app = await start({
      announce: true,
      authorize: () => ({ badge: 'gold', name: 'rule' }),
      profile: ({ userId, roomName }) => Promise.resolve({ name: userId, seat: roomName.length }),
    });
    const [ada, bo] = [await app.client({ path: '/ws?ada' }), await app.client({ path: '/ws?bo' })];
    await ada.request('system', 'joinRoom', { roomName: 'tea' });
    await bo.request('system', 'joinRoom', { roomName: 'tea', username: 'Bo', profile: { badge: 'platinum' } });
    const profile = { badge: 'gold', name: 'bo', seat: 3 };
    const data = { roomName: 'tea', member: { clientId: bo.clientId, userId: 'bo', username: 'Bo', profile } };
    expect(await ada.next('room')).toEqual({ type: 'room', action: 'memberJoined', data });
    await bo.close();
    expect(await ada.next('room')).toEqual({ type: 'room', action: 'memberLeft', data });
  });

  it('is asked when the server puts a client in, too', async () => {
    const app = await start({ announce: true, profile: ({ userId }) => ({ name: userId }) });
    const [ada, bo] = [await app.client({ path: '/ws?ada' }), await app.client({ path: '/ws?bo' })];
    const server = app.app.get(PxlWebSocketServer);
    await server.joinRoom({ clientId: ada.clientId, roomName: 'tea' });
    await server.joinRoom({ clientId: bo.clientId, roomName: 'tea' });
    expect(await ada.next('room')).toMatchObject({ data: { member: { profile: { name: 'bo' } } } });
  });

  it('without a JSON form fails the join, not the room', async () => {
    const app = await start({ open: true, profile: () => ({ n: 1n }) });
    const client = await app.client({ path: '/ws?ada' });
    await expect(client.request('system', 'joinRoom', { roomName: 'tea' })).rejects.toThrow('INTERNAL');
    expect(roomsOf(app)).toEqual([]);
  });
});
