import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { from, type Observable } from 'rxjs';
import {
  PxlWebSocketServer,
  WebSocketService,
  WsError,
  WsRoute,
  type WsClient,
  type WsHistoryQuery,
  type WsMemberList,
  type WsPresencePush,
} from 'nestjs-pxl-websocket';
import { refused } from '../support/refused.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';

const LIMIT = 4_000;
/** Characters of three bytes each in UTF-8. */
const large = '…'.repeat(LIMIT / 2);
const TOO_LARGE = refused('TOO_LARGE');

@WebSocketGateway()
class Answers {
  @WsRoute('say', 'back')
  back(@MessageBody('characters') characters: number): string {
    return '…'.repeat(characters);
  }

  @WsRoute('say', 'slowly')
  slowly(): Observable<string> {
    return from(['short', large, 'short']);
  }

  @WsRoute('say', 'refused')
  refused(): never {
    throw new WsError('CONFLICT', 'No.', { details: large });
  }

  @WsRoute('say', 'long')
  long(): never {
    throw new WsError('CONFLICT', large);
  }

  @WsRoute('client', 'tries')
  async tries(@ConnectedSocket() client: WsClient): Promise<unknown[]> {
    const codes: unknown[] = [];
    const attempts = [
      () => client.send({ type: 'a', action: 'b', data: large }),
      () => client.send(large),
      () => client.emit('a', large),
      () => client.call({ type: 'a', action: 'b', data: large }),
    ];
    for (const attempt of attempts) {
      try {
        await attempt();
      } catch (error) {
        codes.push((error as WsError).code);
      }
    }
    return codes;
  }
}

let app: TestApp;
let service: WebSocketService;
/** A client of each codec; the bytes of all that they get are noted. */
let clients: TestClient[];
let sizes: number[];

beforeAll(async () => {
  app = await startApp({
    options: {
      limits: { maxPushBytes: LIMIT },
      rooms: {
        open: true,
        named: true,
        whisper: true,
        presence: (name) => (name.startsWith('shown') ? { interval: 20, grace: 0 } : null),
        history: (name) => (name.startsWith('kept') ? { size: 100, ttl: 60_000 } : null),
      },
    },
    providers: [Answers],
  });
  service = app.app.get(WebSocketService);
});

afterAll(() => app.close());

beforeEach(async () => {
  sizes = [];
  clients = await Promise.all([app.client(), app.client({ protocols: ['event.v1'] })]);
  for (const { socket } of clients) socket.on('message', (data) => sizes.push((data as Buffer).length));
});

afterEach(async () => {
  for (const client of clients) await client.close();
  expect(Math.max(...sizes)).toBeLessThanOrEqual(LIMIT);
});

/** A message whose text in `pxl.v1` has so many bytes. */
function messageOf(bytes: number): { type: string; action: string; data: string } {
  const message = { type: 'a', action: 'b', data: '' };
  return { ...message, data: 'x'.repeat(bytes - JSON.stringify(message).length) };
}

/** Nothing has come to the clients but these messages. */
async function expectGot(...data: unknown[]): Promise<void> {
  for (const client of clients) {
    await client.request('system', 'ping');
    expect(client.pending.map((message) => message.data)).toEqual(data);
  }
}

describe('limits.maxPushBytes', () => {
  it('lets pass what has just this size, and refuses what has one byte more, before anybody gets it', async () => {
    const before = service.getRefusals().maxPushBytes ?? 0;
    const fits = messageOf(LIMIT);
    await service.broadcast(fits);
    await expectGot(fits.data);
    await expect(service.broadcast(messageOf(LIMIT + 1))).rejects.toThrow(
      'The message has 4001 bytes, limits.maxPushBytes allows 4000.',
    );
    await expectGot(fits.data);
    expect(service.getRefusals().maxPushBytes).toBe(before + 1);
  });

  it('holds for every verb', async () => {
    const ids = clients.map(({ clientId }) => clientId);
    const [clientId = ''] = ids;
    const data = { type: 'a', action: 'b', data: large };
    const server = app.app.get(PxlWebSocketServer);
    for (const send of [
      () => service.sendToClients(ids, data),
      () => service.sendToUsers(['ada'], data),
      () => service.sendToRooms(['tea'], data),
      () => service.sendToRooms(['kept'], data, { idempotencyKey: 'a' }),
      () => service.sendToRooms(['kept', 'tea'], data),
      () => service.sendUserMessage('a', large),
      () => service.sendSystemMessage('a', large),
      () => service.sendErrorMessage('a', new WsError('CONFLICT', large)),
      () => service.send({ payload: { topic: 'a', data: large } }),
    ]) {
      await expect(send()).rejects.toThrow(TOO_LARGE);
    }
    for (const send of [
      () => server.sendMessageToAll({ data }),
      () => server.sendMessageToAll({ data: large }),
      () => server.broadcastToAllClients({ data, excludeClientId: clientId }),
      () => server.broadcastToRoom({ roomName: 'tea', data }),
      () => server.broadcastToRoom({ roomName: 'kept', data }),
      () => server.broadcastToUsers({ userIds: ['ada'], data }),
      () => server.broadcastToClient({ clientId, data }),
      () => server.sendMessageError({ webSocketClientId: clientId, error: large }),
      () => server.local.broadcastToRoom({ roomName: 'tea', data }),
    ]) {
      expect(send).toThrow(TOO_LARGE);
    }
    for (const client of clients) {
      expect(await client.request('client', 'tries')).toEqual(Array(4).fill('TOO_LARGE'));
    }
    await expectGot();
    expect((await service.getHistory('kept')).messages).toEqual([]);
  });

  it('counts what a client of the other codec gets', async () => {
    // In `event.v1` the value is `{ event: 'message', data: … }`, which is longer.
    const value = 'x'.repeat(LIMIT - 10);
    expect(() => app.app.get(PxlWebSocketServer).sendMessageToAll({ data: value })).toThrow(TOO_LARGE);
    await expect(service.broadcast({ event: 'a', more: large } as never)).rejects.toThrow(TOO_LARGE);
    await expectGot();
  });

  it.each([
    ['rooms', 'tea', 60],
    ['rooms with history', 'kept', 512],
  ])('counts the name of the room, and what else messages for %s have', async (_what, roomName, marks) => {
    for (const client of clients) await client.join(roomName);
    const bytes = LIMIT - JSON.stringify(roomName).length - marks;
    const fits = messageOf(bytes);
    await service.sendToRooms([roomName], fits);
    await expect(service.sendToRooms([roomName], messageOf(bytes + 1))).rejects.toThrow(TOO_LARGE);
    await expectGot(fits.data);
  });

  it('makes an error of a larger answer, and ends a stream with it', async () => {
    const before = service.getRefusals().maxPushBytes ?? 0;
    for (const client of clients) {
      expect(await client.request('say', 'back', { characters: 100 })).toHaveLength(100);
      await expect(client.request('say', 'back', { characters: LIMIT / 2 })).rejects.toThrow(TOO_LARGE);
      client.send(client === clients[0] ? { type: 'say', action: 'slowly', id: 1 } : { event: 'say:slowly', id: 1 });
      expect(await client.next()).toMatchObject(client === clients[0] ? { response: 'short' } : { data: 'short' });
      expect((await client.next()).data).toMatchObject({ code: 'TOO_LARGE' });
    }
    await expectGot();
    expect(service.getRefusals().maxPushBytes).toBe(before + 4);
  });

  it('leaves out the details of an error, and the error where its sentence is too long', async () => {
    for (const client of clients) {
      const error = await client.request('say', 'refused').catch((refusal: unknown) => refusal);
      expect(error).toMatchObject({ code: 'CONFLICT', details: undefined });
      await expect(client.request('say', 'long')).rejects.toThrow(refused('INTERNAL'));
    }
  });

  it('takes back the joins of a list whose answer is larger', async () => {
    const [client] = clients;
    const names = Array.from({ length: 100 }, (_, at) => `${at} ${'x'.repeat(60)}`);
    await expect(client!.request('system', 'join', { rooms: names })).rejects.toThrow(TOO_LARGE);
    expect(await service.countClients({ room: names[0]! })).toMatchObject({ count: 0 });
    expect(await client!.request('system', 'join', { rooms: names.slice(0, 10) })).toMatchObject({ refused: [] });
    expect(await service.countClients({ room: names[0]! })).toMatchObject({ count: 1 });
    expect(await client!.request('system', 'leave', { rooms: names.slice(0, 10) })).toMatchObject({ refused: [] });
  });

  it('refuses a whisper that the other members could not take', async () => {
    const [ada, bob] = clients as [TestClient, TestClient];
    for (const client of clients) await client.join('tea');
    await expect(ada.whisper('tea', 'typing', large)).rejects.toThrow(TOO_LARGE);
    await ada.whisper('tea', 'typing', 'tea');
    expect(await bob.next('whisper')).toMatchObject({ data: 'tea' });
  });

  it('makes the pages of a history smaller, none of them empty', async () => {
    const room = 'kept in pages';
    for (const client of clients) await client.join(room);
    const sent = [3_000, 40, 40, 1_000, 1_000, 1_000, 3_400, 40].map((bytes) => messageOf(bytes));
    for (const message of sent) await service.sendToRooms([room], message);
    for (const client of clients) {
      for (const { data } of sent) expect((await client.next()).data).toBe(data);
      const got: unknown[] = [];
      let page: { messages: { data: unknown; offset: number }[]; position: { epoch: string }; more: boolean };
      let since: WsHistoryQuery['since'];
      do {
        page = (await client.request('system', 'history', { roomName: room, since })) as typeof page;
        expect(page.messages.length).toBeGreaterThan(0);
        got.push(...page.messages.map(({ data }) => data));
        since = { epoch: page.position.epoch, offset: page.messages.at(-1)?.offset ?? 0 };
      } while (page.more);
      expect(got).toEqual(sent.map(({ data }) => data));
    }
  });

  it('tells the count of a room whose list is too large, and the list again when it fits', async () => {
    const room = 'shown';
    const state = 'x'.repeat(250);
    const [ada, bob] = clients as [TestClient, TestClient];
    const list = await ada.join(room, { presence: true });
    expect([list.members?.length, list.count, list.partial]).toEqual([1, 1, undefined]);
    const crowd = await Promise.all(Array.from({ length: 12 }, () => app.client()));
    for (const client of crowd) await client.join(room, { state });
    await ada.take(({ data }) => isDeepStrictEqual(data, { roomName: room, count: 13, partial: true }));
    expect(await bob.join(room, { presence: true })).toMatchObject({ members: [], partial: true });
    const first = await bob.members(room);
    expect([first.partial, first.count]).toEqual([true, 14]);
    const all = [...first.members];
    for (let page = first; page.partial; all.push(...page.members)) {
      page = await bob.members(room, { after: all.at(-1)?.clientId });
    }
    expect(all).toHaveLength(14);
    for (const client of crowd.slice(0, 10)) await client.request('system', 'leaveRoom', { roomName: room });
    const { data } = await ada.take(({ data }) => (data as WsPresencePush | undefined)?.members !== undefined);
    const { members, count, partial } = data as WsPresencePush;
    expect([members?.length, partial]).toEqual([count, undefined]);
    for (const client of crowd) await client.close();
  });

  it('sends behind the answer a list that is too long for it', async () => {
    const rooms = ['shown one', 'shown two', 'shown three'];
    const crowd = await Promise.all(Array.from({ length: 3 }, () => app.client()));
    for (const client of crowd) {
      await client.request('system', 'join', { rooms: rooms.map((room) => ({ room, state: 'x'.repeat(250) })) });
    }
    for (const client of clients) {
      const wishes = rooms.map((room) => ({ room, presence: true }));
      const { joined } = (await client.request('system', 'join', { rooms: wishes })) as { joined: WsMemberList[] };
      expect(joined.map(({ members, partial }) => [members.length > 0, partial])).toEqual([
        [true, undefined],
        [false, true],
        [false, true],
      ]);
      for (const roomName of rooms.slice(1)) {
        const { data } = await client.next('room', 'presence');
        expect(data).toMatchObject({ roomName, count: joined[1]?.count });
        expect((data as WsPresencePush).members).toHaveLength(joined[1]?.count ?? 0);
      }
    }
    for (const client of crowd) await client.close();
  });
});
