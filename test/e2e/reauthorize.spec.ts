import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ForbiddenException, NotFoundException, ServiceUnavailableException } from '@nestjs/common';
import {
  RoomManager,
  WebSocketService,
  type PxlWebSocketModuleOptions,
  type WsRoomRequest,
} from 'nestjs-pxl-websocket';
import { ClientRegistry } from '../../lib/clients/client-registry.js';
import { eventually } from '../../lib/testing/eventually.js';
import { Gate } from '../support/gate.js';
import { RedisServer } from '../support/redis-server.js';
import { refused } from '../support/refused.js';
import { startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { claimsOf, hs256, seconds, SECRET } from '../support/tokens.js';

type Answer = (request: WsRoomRequest) => unknown;

/** A member, as presence shows it. */
interface Shown {
  readonly clientId: string;
  readonly profile?: object;
}

const yes: Answer = () => true;

/** What the rule answers, which each test says, and what it was asked: `user room`. */
const rule = { answer: yes, asked: [] as string[] };
const errors: string[] = [];

let redis: RedisServer;
/** Two workers of one cluster. */
let one: TestApp;
let two: TestApp;
const clients: TestClient[] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
  const options: PxlWebSocketModuleOptions = {
    redis: redis.url,
    cluster: { probe: 200 },
    heartbeat: false,
    auth: { jwt: { secret: SECRET }, required: false, mode: 'either' },
    // Also a busy machine answers within it.
    timeouts: { hook: 2_000 },
    events: { onError: ({ error }) => void errors.push(error.message) },
    rooms: {
      announce: true,
      presence: { by: 'client', interval: 20 },
      authorize: (request) => {
        rule.asked.push(`${request.client.user?.userId} ${request.roomName}`);
        return rule.answer(request) as boolean;
      },
    },
  };
  [one, two] = await Promise.all([startApp({ options }), startApp({ options })]);
});

beforeEach(() => {
  Object.assign(rule, { answer: yes, asked: [] });
  errors.length = 0;
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await eventually('they are gone', () => [one, two].every((app) => app.app.get(ClientRegistry).size === 0));
});

afterAll(async () => {
  await Promise.all([one, two].map((app) => app.close()));
  await redis.stop();
});

async function connect(app: TestApp, sub: string, more: object = {}): Promise<TestClient> {
  const client = await TestClient.connect(app.url(), { token: hs256(claimsOf(sub, { ...more })) });
  clients.push(client);
  return client;
}

async function member(app: TestApp, sub: string, ...rooms: string[]): Promise<TestClient> {
  const client = await connect(app, sub);
  for (const roomName of rooms) await client.join(roomName);
  rule.asked = [];
  return client;
}

const sockets = (app = one): WebSocketService => app.app.get(WebSocketService);

function roomsOf(app: TestApp, { clientId }: TestClient): string[] {
  return [...(app.app.get(ClientRegistry).get(clientId)?.rooms ?? [])];
}

const leftByRule = (roomName: string): object => ({
  type: 'room',
  action: 'left',
  data: { roomName, reason: 'rule' },
});

/** Fails unless the client has been told of these rooms, and of no others. */
async function expectLeft(client: TestClient, ...rooms: string[]): Promise<void> {
  for (const roomName of rooms) expect(await client.next('room', 'left')).toEqual(leftByRule(roomName));
  await client.request('system', 'ping');
  expect(client.pending.filter(({ action }) => action === 'left')).toEqual([]);
}

/** A rule that stays in its question until it is answered; each call of `next` waits for the next question. */
class OpenQuestions {
  readonly #asked: Gate<unknown>[] = [];
  #wake = new Gate();

  readonly answer: Answer = () => {
    const question = new Gate<unknown>();
    this.#asked.push(question);
    this.#wake.open();
    this.#wake = new Gate();
    return question.passed;
  };

  async next(): Promise<Gate<unknown>> {
    while (this.#asked.length === 0) await this.#wake.passed;
    return this.#asked.shift()!;
  }
}

describe('reauthorize', () => {
  it('of a user takes its sessions on every worker out of the rooms that the rule refuses now', async () => {
    const ada = await member(one, 'ada', 'tea', 'chess');
    const adaElsewhere = await member(two, 'ada', 'tea');
    const bob = await member(one, 'bob', 'tea');
    rule.answer = ({ client, roomName }) => client.user?.userId !== 'ada' || roomName !== 'tea';
    await sockets().reauthorize({ userId: 'ada' });
    expect(roomsOf(one, ada)).toEqual(['chess']);
    expect(roomsOf(one, bob)).toEqual(['tea']);
    await expectLeft(ada, 'tea');
    expect(await adaElsewhere.next('room', 'left')).toEqual(leftByRule('tea'));
    await expectLeft(bob);
    expect(rule.asked.sort()).toEqual(['ada chess', 'ada tea', 'ada tea']);
  });

  it('of a room asks for its members on every worker, and for those only', async () => {
    const ada = await member(one, 'ada', 'tea', 'chess');
    const bob = await member(two, 'bob', 'tea');
    const cleo = await member(two, 'cleo', 'tea');
    rule.answer = ({ client }) => client.user?.userId === 'cleo';
    await sockets(two).reauthorize({ room: 'tea' });
    expect(roomsOf(two, bob)).toEqual([]);
    expect(await ada.next('room', 'left')).toEqual(leftByRule('tea'));
    expect(roomsOf(one, ada)).toEqual(['chess']);
    await Promise.all([expectLeft(bob, 'tea'), expectLeft(cleo)]);
    expect(rule.asked.sort()).toEqual(['ada tea', 'bob tea', 'cleo tea']);
  });

  it('leaves who was put in by the server, also after its own join', async () => {
    const ada = await member(one, 'ada', 'tea');
    await sockets().joinRooms({ userIds: ['ada'], rooms: ['tea', 'chess'] });
    rule.answer = () => false;
    await sockets().reauthorize({ userId: 'ada' });
    expect(rule.asked).toEqual([]);
    expect(roomsOf(one, ada)).toEqual(['tea', 'chess']);
    await expectLeft(ada);
  });

  it('shows the profile that the rule answers now, or none', async () => {
    rule.answer = () => ({ badge: 'gold' });
    const ada = await member(one, 'ada', 'tea');
    const bob = await connect(two, 'bob');
    await eventually('the other worker knows it', () => !!two.app.get(RoomManager).rooms.get('tea')?.has(ada.clientId));
    await bob.request('system', 'joinRoom', { roomName: 'tea', presence: true });
    for (const [answer, profile] of [
      [{ badge: 'silver' }, { badge: 'silver' }],
      [true, undefined],
    ]) {
      rule.answer = ({ client }) => (client.user?.userId === 'ada' ? answer : true);
      await sockets().reauthorize({ userId: 'ada' });
      // He may hear of her, and of what has changed since, in one push.
      await bob.take(({ data }) => {
        const { joined = [], updated = [] } = data as Record<'joined' | 'updated', Shown[] | undefined>;
        const shown = [...joined, ...updated].filter(({ clientId }) => clientId === ada.clientId);
        return shown.some((member) => isDeepStrictEqual(member.profile, profile));
      });
    }
    rule.answer = () => ({ badge: 'bronze' });
    await sockets().reauthorize({ room: 'tea' });
    await ada.request('system', 'leaveRoom', { roomName: 'tea' });
    expect(await bob.next('room', 'memberLeft')).toMatchObject({ data: { member: { profile: { badge: 'bronze' } } } });
  });

  it.each<[string, Answer]>([
    ['false', () => false],
    ['nothing', () => undefined],
    ['Nest’s ForbiddenException', () => Promise.reject(new ForbiddenException())],
    ['another answer for the client', () => Promise.reject(new NotFoundException('No such room.'))],
  ])('takes a member out by %s', async (_what, answer) => {
    const ada = await member(one, 'ada', 'tea');
    rule.answer = answer;
    await sockets().reauthorize({ room: 'tea' });
    await expectLeft(ada, 'tea');
  });

  it.each<[string, Answer, string]>([
    ['throws', () => Promise.reject(new TypeError('no database')), 'no database'],
    ['is too busy', () => Promise.reject(new ServiceUnavailableException('busy')), 'busy'],
    ['does not answer in time', () => new Promise(() => undefined), 'The room did not answer in time.'],
  ])('leaves a member whose rule %s, and reports it', async (_what, answer, error) => {
    const ada = await member(one, 'ada', 'tea');
    rule.answer = answer;
    await sockets().reauthorize({ userId: 'ada' });
    expect(errors).toEqual([error]);
    expect(roomsOf(one, ada)).toEqual(['tea']);
    await expectLeft(ada);
  });

  it('asks at most 16 questions at a time, and one for two who ask before its turn', async () => {
    const rooms = Array.from({ length: 40 }, (_, at) => `room${at}`);
    await member(one, 'ada', ...rooms);
    const running = { now: 0, most: 0 };
    rule.answer = async () => {
      running.most = Math.max(running.most, ++running.now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running.now--;
      return true;
    };
    await Promise.all([sockets().reauthorize({ userId: 'ada' }), sockets().reauthorize({ userId: 'ada' })]);
    expect(running).toEqual({ now: 0, most: 16 });
    // Those whose question had begun already are asked again.
    expect(rule.asked).toHaveLength(56);
  });

  it.each<[object, string]>([
    [{}, 'one of them'],
    [{ userId: 'ada', room: 'tea' }, 'one of them'],
    [{ room: '' }, 'room is a text'],
    [{ userId: null }, 'userId is a number'],
    [{ user: 'ada' }, 'user'],
  ])('rejects %j with BAD_MESSAGE', async (given, why) => {
    const failure = await sockets()
      .reauthorize(given as { room: string })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'BAD_MESSAGE', message: expect.stringContaining(why) });
  });
});

describe('a question', () => {
  let open: OpenQuestions;
  let ada: TestClient;
  let done: Promise<void>;
  let question: Gate<unknown>;

  beforeEach(async () => {
    ada = await member(one, 'ada', 'tea');
    open = new OpenQuestions();
    rule.answer = open.answer;
    done = sockets().reauthorize({ userId: 'ada' });
    question = await open.next();
  });

  it('means nothing any more once the client has left and come again', async () => {
    await ada.request('system', 'leaveRoom', { roomName: 'tea' });
    const join = ada.join('tea');
    (await open.next()).open(true);
    await join;
    question.open(false);
    await done;
    expect(roomsOf(one, ada)).toEqual(['tea']);
    await expectLeft(ada);
  });

  it('means nothing any more once the server has put the client in', async () => {
    await sockets(two).joinRooms({ clientIds: [ada.clientId], rooms: ['tea'] });
    question.open(false);
    await done;
    expect(roomsOf(one, ada)).toEqual(['tea']);
    await expectLeft(ada);
  });

  it('outlives the client’s connection', async () => {
    await ada.close();
    await eventually('it is gone', () => one.app.get(RoomManager).rooms.get('tea') === undefined);
    question.open(false);
    await done;
    expect(errors).toEqual([]);
  });

  it('that was asked sooner and is answered later means nothing', async () => {
    const again = sockets().reauthorize({ room: 'tea' });
    (await open.next()).open({ badge: 'new' });
    await again;
    question.open(false);
    await done;
    expect(roomsOf(one, ada)).toEqual(['tea']);
    await expectLeft(ada);
  });

  it('is asked again about a join that was under way', async () => {
    question.open(true);
    await done;
    const join = ada.join('chess');
    const first = await open.next();
    const again = Promise.all([sockets().reauthorize({ room: 'chess' }), sockets(two).reauthorize({ userId: 'bob' })]);
    first.open(true);
    await join;
    (await open.next()).open(false);
    await again;
    await expectLeft(ada, 'chess');
    expect(roomsOf(one, ada)).toEqual(['tea']);
  });
});

describe('newer credentials', () => {
  const admin = ({ client }: WsRoomRequest): boolean => client.user?.payload.role === 'admin';

  async function refresh(client: TestClient, sub: string, more: object = {}): Promise<void> {
    await client.request('system', 'refresh', { token: hs256(claimsOf(sub, { ...more })) });
  }

  it('with other claims are asked about in the client’s own rooms', async () => {
    rule.answer = admin;
    const ada = await connect(one, 'ada', { role: 'admin' });
    await Promise.all([ada.join('tea'), ada.join('chess')]);
    await sockets().joinRooms({ clientIds: [ada.clientId], rooms: ['lobby'] });
    const adaElsewhere = await connect(one, 'ada', { role: 'admin' });
    await adaElsewhere.join('tea');
    rule.asked = [];
    await refresh(ada, 'ada', { role: 'guest' });
    await expectLeft(ada, 'tea', 'chess');
    expect(roomsOf(one, ada)).toEqual(['lobby']);
    expect(rule.asked).toEqual(['ada tea', 'ada chess']);
    await expectLeft(adaElsewhere);
  });

  it('that say the same are not', async () => {
    const ada = await connect(one, 'ada', { role: 'admin', list: [1] });
    await ada.join('tea');
    rule.asked = [];
    await refresh(ada, 'ada', { role: 'admin', list: [1], jti: 'other', exp: seconds(7_200), nbf: seconds(-1) });
    await ada.request('system', 'ping');
    expect(rule.asked).toEqual([]);
  });

  it('that make an anonymous client a user’s are', async () => {
    rule.answer = ({ client }) => client.user === null;
    const nobody = await TestClient.connect(one.url());
    clients.push(nobody);
    await nobody.join('guests');
    await nobody.request('system', 'authenticate', { token: hs256(claimsOf('ada')) });
    await expectLeft(nobody, 'guests');
  });
});

it('reauthorize rejects with UNAVAILABLE while Redis is away, and has asked here all the same', async () => {
  const ada = await member(one, 'ada', 'tea');
  rule.answer = () => false;
  await redis.kill();
  await expect(sockets().reauthorize({ userId: 'ada' })).rejects.toThrow(refused('UNAVAILABLE'));
  await expectLeft(ada, 'tea');
});
