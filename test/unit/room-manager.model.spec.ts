import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { ModuleRef } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { RuleFactory } from '../../lib/auth/rule-factory.js';
import { ClientMirror } from '../../lib/clients/client-mirror.js';
import { ClientRegistry } from '../../lib/clients/client-registry.js';
import { ClientSession } from '../../lib/clients/session/client-session.js';
import type { SessionEndpoint } from '../../lib/clients/session/session-endpoint.interface.js';
import { WsRequest } from '../../lib/ws-client/ws-request.js';
import { pxlCodec } from '../../lib/protocol/pxl.codec.js';
import { PushLimit } from '../../lib/limits/push-limit.js';
import { ErrorReporter } from '../../lib/errors/error-reporter.js';
import { RefusalCounters } from '../../lib/limits/refusal-counters.js';
import type { ResolvedOptions } from '../../lib/pxl-websocket.options.js';
import { resolveOptions } from '../../lib/pxl-websocket.module-options.js';
import { AskedRooms } from '../../lib/rooms/asked-rooms.js';
import { Memberships } from '../../lib/rooms/memberships.js';
import { RoomRegistry } from '../../lib/rooms/room-registry.js';
import { RoomRules } from '../../lib/rooms/room-rules.js';
import type { WsRoomInterest } from '../../lib/rooms/room-interest.interface.js';
import { Timings } from '../../lib/runtime/metrics/timings.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { Tracing } from '../../lib/tracing/tracing.js';
import { AcceptedSocket } from '../../lib/transport/connection/accepted-socket.js';
import { OutboxScheduler } from '../../lib/transport/outbox/outbox.scheduler.js';
import { OutboxServices } from '../../lib/transport/outbox/outbox.services.js';
import { SlowConsumers } from '../../lib/transport/outbox/slow-consumers.js';
import { SeededRandom } from '../support/seeded-random.js';

const SEQUENCES = 5_000;
const STEPS = 24;
const CLIENTS = ['ada', 'bob', 'cleo'];
const ROOMS = ['lobby', 'chess', 'go', '__proto__'];
const DEFAULT_ROOM = 'lobby';

interface Acquired {
  readonly clientId: string;
  readonly roomName: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A bus that makes a room live, or fails to, when the test wants. */
class RandomInterest implements WsRoomInterest {
  readonly waiting: Acquired[] = [];
  readonly held = new Map<string, number>();
  /** Whose join comes next. */
  joining = '';

  constructor(private readonly random: SeededRandom) {}

  acquireRoom(roomName: string): Promise<void> | undefined {
    this.held.set(roomName, (this.held.get(roomName) ?? 0) + 1);
    if (this.random.chance(0.3)) return undefined;
    const clientId = this.joining;
    return new Promise((resolve, refuse) => {
      const reject = (error: Error): void => {
        this.releaseRoom(roomName); // what fails holds nothing
        refuse(error);
      };
      this.waiting.push({ clientId, roomName, resolve, reject });
    });
  }

  releaseRoom(roomName: string): void {
    this.held.set(roomName, (this.held.get(roomName) ?? 0) - 1);
  }
}

/** What the room manager should do, said as simply as possible: no promises, every join a record. */
class Model {
  readonly members = new Map(CLIENTS.map((clientId) => [clientId, new Set<string>()]));
  /** The joins that wait, oldest first. */
  #pending: { clientId: string; roomName: string; cancelled: boolean }[] = [];
  readonly #gone = new Set<string>();

  constructor(private readonly oneRoom: boolean) {}

  /** @param waits whether the room is not live yet */
  join(clientId: string, roomName: string, waits: boolean): void {
    if (this.#gone.has(clientId)) return;
    if (!waits) {
      this.#enter(clientId, roomName);
      return;
    }
    this.#pending = this.#pending.filter((join) => !isOf(join, clientId, roomName));
    this.#pending.push({ clientId, roomName, cancelled: false });
  }

  isMember(clientId: string, roomName: string): boolean {
    return this.members.get(clientId)!.has(roomName);
  }

  isPending(clientId: string, roomName: string): boolean {
    return this.#pending.some((join) => isOf(join, clientId, roomName));
  }

  leave(clientId: string, roomName: string): void {
    for (const join of this.#pending) if (isOf(join, clientId, roomName)) join.cancelled = true;
    this.members.get(clientId)!.delete(roomName);
  }

  disconnect(clientId: string): void {
    this.#gone.add(clientId);
    for (const join of this.#pending) if (join.clientId === clientId) join.cancelled = true;
    this.members.get(clientId)!.clear();
  }

  settle(clientId: string, roomName: string, live: boolean): void {
    const join = this.#pending.find((candidate) => isOf(candidate, clientId, roomName))!;
    if (live && !join.cancelled) this.#enter(clientId, roomName);
    this.#pending = this.#pending.filter((candidate) => candidate !== join);
  }

  #enter(clientId: string, roomName: string): void {
    const rooms = this.members.get(clientId)!;
    rooms.add(roomName);
    if (!this.oneRoom || roomName === DEFAULT_ROOM) return;
    for (const other of [...rooms]) if (other !== roomName && other !== DEFAULT_ROOM) rooms.delete(other);
    for (const join of this.#pending) {
      if (join.clientId !== clientId || join.roomName === DEFAULT_ROOM) continue;
      if (join.roomName === roomName) break;
      join.cancelled = true;
    }
  }
}

function isOf(join: { clientId: string; roomName: string }, clientId: string, roomName: string): boolean {
  return join.clientId === clientId && join.roomName === roomName;
}

const NO_TRACING = new Tracing({ enabled: false, userIds: false });

function endpointWith(options: ResolvedOptions): SessionEndpoint {
  const runtime = new Runtime();
  return {
    options,
    path: '/ws',
    workerId: 'worker',
    welcomeTerms: '"heartbeat":null',
    router: { find: () => undefined },
    intake: { take: () => undefined },
    dispatcher: { dispatch: () => undefined, tracing: NO_TRACING },
    pushLimit: new PushLimit(false),
    memberships: { keyOf: (roomName) => roomName, begin: () => false, remove: () => undefined },
    errors: new ErrorReporter(runtime, options),
    runtime,
  };
}

function createClient(clientId: string, options: ResolvedOptions): ClientSession {
  const request = new WsRequest(new IncomingMessage(new Socket()));
  // As a ws server makes it; the types of ws have no such constructor.
  const socket = Reflect.construct(AcceptedSocket, [null, undefined, {}]) as AcceptedSocket;
  const runtime = new Runtime();
  const slowConsumers = new SlowConsumers(runtime, options);
  const errors = new ErrorReporter(runtime, options);
  const services = new OutboxServices(
    new OutboxScheduler(runtime),
    slowConsumers,
    errors,
    new Timings(false, runtime),
    runtime,
    NO_TRACING,
  );
  const outbox = socket.openOutbox(new Socket(), services);
  return new ClientSession(clientId, outbox, request, pxlCodec, endpointWith(options), 0);
}

/** One random story; resolves once every membership was compared with the model's. */
async function tell(random: SeededRandom, factory: RuleFactory): Promise<void> {
  const oneRoom = random.chance(0.5);
  const rooms = { clientCanJoinMultipleRooms: !oneRoom, defaults: [DEFAULT_ROOM] };
  const options = resolveOptions({ rooms, limits: { roomsPerClient: false } });
  const counters = new RefusalCounters();
  const clients = new ClientRegistry(counters, options);
  const registry = new RoomRegistry();
  const interest = new RandomInterest(random);
  const errors = new ErrorReporter(new Runtime(), options);
  const rules = new RoomRules(factory, new Runtime(), errors, options);
  const asked = new AskedRooms(options);
  const manager = new Memberships(registry, clients, new ClientMirror(), rules, asked, interest, counters, options);
  clients.listen({ unregistered: (client, end) => manager.drop(client, end) });
  const model = new Model(oneRoom);
  const connected = new Map(CLIENTS.map((clientId) => [clientId, createClient(clientId, options)]));
  for (const client of connected.values()) clients.register(client);
  let settled: (() => void)[] = [];

  const join = (clientId: string, roomName: string): void => {
    const wasPending = model.isPending(clientId, roomName);
    const isNew = !wasPending && !model.isMember(clientId, roomName);
    const before = interest.waiting.length;
    interest.joining = clientId;
    void manager.join(connected.get(clientId)!, roomName).catch(() => false);
    model.join(clientId, roomName, wasPending || (isNew && interest.waiting.length > before));
  };
  const settle = (): void => {
    const [acquired] = interest.waiting.splice(random.below(interest.waiting.length), 1);
    if (!acquired) return;
    const live = random.chance(0.7);
    if (live) acquired.resolve();
    else acquired.reject(new Error('the bus is down'));
    settled.push(() => model.settle(acquired.clientId, acquired.roomName, live));
  };
  /** What was settled takes effect in a later microtask, in the order in which it was settled. */
  const pass = async (): Promise<void> => {
    for (let turns = 0; turns < 4; turns++) await Promise.resolve();
    for (const take of settled) take();
    settled = [];
  };

  for (let step = 0; step < STEPS; step++) {
    const clientId = random.pick(CLIENTS);
    const roomName = random.pick(ROOMS);
    const dice = random.next();
    if (dice < 0.45) join(clientId, roomName);
    else if (dice < 0.6) {
      manager.leave(connected.get(clientId)!, roomName);
      model.leave(clientId, roomName);
    } else if (dice < 0.95) settle();
    else {
      clients.unregister(connected.get(clientId)!);
      model.disconnect(clientId);
    }
    if (random.chance(0.6)) await pass();
  }
  await pass();
  expect(membershipsIn(registry)).toEqual(membershipsOf(model));

  while (interest.waiting.length > 0) settle();
  await pass();
  expect(membershipsIn(registry)).toEqual(membershipsOf(model));
  const memberships = [...model.members.values()].reduce((sum, { size }) => sum + size, 0);
  expect([...interest.held.values()].reduce((sum, count) => sum + count, 0)).toBe(memberships);

  for (const client of connected.values()) clients.unregister(client);
  expect(registry.rooms.size).toBe(0);
  expect([...interest.held.values()].every((count) => count === 0)).toBe(true);
}

function membershipsIn(registry: RoomRegistry): string[] {
  return [...registry.rooms].flatMap(([roomName, { ids }]) => [...ids].map((id) => `${id} in ${roomName}`)).sort();
}

function membershipsOf(model: Model): string[] {
  return [...model.members].flatMap(([id, names]) => [...names].map((roomName) => `${id} in ${roomName}`)).sort();
}

describe('joins that race a close, a leave and each other', () => {
  it(`leave no residue: after each of ${SEQUENCES} random stories the rooms equal a model's`, async () => {
    const factory = new RuleFactory((await Test.createTestingModule({}).compile()).get(ModuleRef));
    for (let seed = 1; seed <= SEQUENCES; seed++) {
      try {
        await tell(new SeededRandom(seed), factory);
      } catch (error) {
        throw new Error(`The story of seed ${seed} went wrong.`, { cause: error });
      }
    }
  });
});
