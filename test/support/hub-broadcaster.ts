import {
  WsError,
  type WsAppend,
  type WsAppended,
  type WsBroadcaster,
  type WsBusHealth,
  type WsEnvelope,
  type WsHistoryPage,
  type WsHistoryRange,
  type WsPosition,
  type WsReceivedEnvelope,
  type WsReceiver,
  type WsRetention,
  type WsRoomStore,
  type WsTarget,
} from 'nestjs-pxl-websocket';

import { LocalRoomStore } from '../../lib/cluster/bus/local.room-store.js';
import { Runtime } from '../../lib/runtime/runtime.js';

/** Joins the workers of one process. */
export class Hub {
  readonly #members = new Set<HubBroadcaster>();
  readonly #rooms = new LocalRoomStore(new Runtime());

  /** A worker's end of the hub. */
  join(workerId: string): HubBroadcaster {
    return new HubBroadcaster(workerId, this.#members, this.#rooms);
  }
}

/** A bus between workers that live in one process: what a `WsBroadcaster` has to do, and nothing else. */
export class HubBroadcaster implements WsBroadcaster {
  readonly #interests = new Map<string, number>();
  readonly #changed: ((isReady: boolean) => void)[] = [];
  #receive: WsReceiver | null = null;
  #isCutOff = false;

  constructor(
    readonly workerId: string,
    private readonly members: Set<HubBroadcaster>,
    private readonly rooms: WsRoomStore = new LocalRoomStore(new Runtime()),
  ) {}

  start(receive: WsReceiver): Promise<void> {
    this.#receive = receive;
    this.members.add(this);
    return Promise.resolve();
  }

  publish(envelope: WsEnvelope): Promise<void> {
    if (!this.isReady) return Promise.reject(unreachable());
    this.#send({ ...envelope, origin: this.workerId });
    return Promise.resolve();
  }

  #send(envelope: WsReceivedEnvelope): void {
    for (const member of this.members) {
      if (member === this || !member.isReady || !member.#wants(envelope.target)) continue;
      queueMicrotask(() => member.#receive?.(envelope));
    }
  }

  acquireRoom(roomName: string): Promise<void> | undefined {
    if (!this.isReady) return Promise.reject(unreachable());
    this.#acquire(`room ${roomName}`);
    return undefined;
  }

  releaseRoom(roomName: string): void {
    this.#release(`room ${roomName}`);
  }

  acquireUser(userId: string): Promise<void> | undefined {
    this.#acquire(`user ${userId}`);
    return undefined;
  }

  releaseUser(userId: string): void {
    this.#release(`user ${userId}`);
  }

  acquireEvents(channel: string): Promise<void> | undefined {
    this.#acquire(`event ${channel}`);
    return undefined;
  }

  acquireAllEvents(): Promise<void> | undefined {
    this.#acquire('events');
    return undefined;
  }

  async append(message: WsAppend): Promise<WsAppended> {
    if (!this.isReady) throw unreachable();
    const appended = await this.rooms.append(message);
    if (appended.isRepeated) return appended;
    const { roomName, text, exclude, excludeUsers, excludeRooms, copy } = message;
    const { epoch, offset } = appended;
    const target = { kind: 'rooms', roomNames: [roomName] } as const;
    const content = { kind: 'message', text } as const;
    const envelope = { target, exclude, excludeUsers, excludeRooms, isVolatile: false, content };
    this.#send({ ...envelope, origin: this.workerId, number: { epoch, offset, copy } });
    return appended;
  }

  async read(roomName: string, range: WsHistoryRange, retention: WsRetention): Promise<WsHistoryPage> {
    if (!this.isReady) throw unreachable();
    return this.rooms.read(roomName, range, retention);
  }

  async top(roomName: string, retention: WsRetention): Promise<WsPosition> {
    if (!this.isReady) throw unreachable();
    return this.rooms.top(roomName, retention);
  }

  async clear(roomName: string, retention: WsRetention, youngest?: number): Promise<WsPosition> {
    if (!this.isReady) throw unreachable();
    return this.rooms.clear(roomName, retention, youngest);
  }

  get isReady(): boolean {
    return this.members.has(this) && !this.#isCutOff;
  }

  get health(): WsBusHealth {
    return { connected: this.isReady, probeMs: 0, lastError: null };
  }

  onChange(changed: (isReady: boolean) => void): void {
    this.#changed.push(changed);
  }

  stop(): Promise<void> {
    this.members.delete(this);
    return Promise.resolve();
  }

  /** Nothing reaches it, and it reaches nobody, until what is returned is called. */
  cutOff(): () => void {
    this.#setCutOff(true);
    return () => this.#setCutOff(false);
  }

  #setCutOff(isCutOff: boolean): void {
    this.#isCutOff = isCutOff;
    for (const changed of this.#changed) changed(!isCutOff);
  }

  #wants(target: WsTarget): boolean {
    switch (target.kind) {
      case 'everybody':
        return true;
      case 'clients':
        return target.clientIds.some((clientId) => clientId.startsWith(`${this.workerId}.`));
      case 'users':
        return target.userIds.some((userId) => this.#interests.has(`user ${userId}`));
      case 'rooms':
        return target.roomNames.some((roomName) => this.#interests.has(`room ${roomName}`));
      case 'workers':
        return target.workerIds.includes(this.workerId);
      case 'subscribers':
        return this.#interests.has('events') || this.#interests.has(`event ${target.channel}`);
    }
  }

  #acquire(name: string): void {
    this.#interests.set(name, (this.#interests.get(name) ?? 0) + 1);
  }

  #release(name: string): void {
    const count = this.#interests.get(name) ?? 0;
    if (count > 1) this.#interests.set(name, count - 1);
    else this.#interests.delete(name);
  }
}

function unreachable(): WsError {
  return new WsError('UNAVAILABLE', 'The hub cannot be reached.', { retryable: true });
}
