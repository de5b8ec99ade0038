import { withState } from '../../lib/cluster/presence/shared-state.js';
import type { AbsentClient, SharedPresence } from '../../lib/presence/presence-entry.js';
import type {
  ClientChange,
  ClientRecord,
  SharedMembership,
  SharedUser,
} from '../../lib/cluster/registry/client-record.js';
import type { RegistryHost } from '../../lib/cluster/registry/cluster-registry.interface.js';
import type { LeasedData } from '../../lib/cluster/leases/leased-data.interface.js';
import { RedisRegistry } from '../../lib/cluster/registry/redis.registry.js';
import type { WsRedisOption } from '../../lib/options/redis.options.js';
import type { RedisLink } from '../../lib/redis/link/redis-link.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { TestLink } from './redis-link.js';
import { until } from './until.js';

/** How a test's worker differs from a usual one. */
export interface RegistryWorkerOptions {
  redis: WsRedisOption;
  name: string;
  prefix?: string;
  /** Default: 1 000 ms, a tenth of the usual. */
  lease?: number;
  mirror?: boolean;
  /** How long members stay that are lost, ms; undefined: no room has presence. */
  grace?: number;
  /** What lives beside the registry on the worker's link. */
  data?: (link: RedisLink, workerId: string) => LeasedData[];
}

/** What one worker knows of another's clients, or of its own. */
type Clients = Map<string, ClientRecord>;

/** A worker of a cluster that consists of its registry alone, with clients of paper. */
export class RegistryWorker implements RegistryHost {
  readonly name: string;
  readonly registry: RedisRegistry;
  readonly clients: Clients = new Map();
  /** What it knows of others, by their names. */
  readonly view = new Map<string, Clients>();
  /** What it was told, as `<kind> <client id> …`. */
  readonly told: string[] = [];
  /** The clients that were gone before it started, and stay. */
  readonly absents = new Map<string, AbsentClient>();
  /** Until when members stay that have left, as it was told, by `<client id> <room>`. */
  readonly stayed = new Map<string, number | undefined>();
  /** How often the others had taken it for dead. */
  returns = 0;
  /** What does not follow from what it was told before. */
  readonly faults: string[] = [];
  /** Whether a message of the registry's channel is lost. */
  loses: (text: string) => boolean = () => false;
  /** Takes the messages of other channels. */
  hear: (channel: string, payload: Buffer) => void = () => {};
  readonly isMirroring: boolean;
  readonly grace: number | undefined;
  readonly #link: TestLink;
  readonly #started: Promise<void>;
  #count = 0;
  #isStarted = false;

  constructor(given: RegistryWorkerOptions) {
    const { redis, name, prefix = 'pxl', lease = 1_000, mirror = true, grace, data = () => [] } = given;
    this.name = name;
    this.grace = grace;
    this.isMirroring = mirror;
    this.#link = new TestLink({ redis, prefix, name, probe: 50 });
    const options = { prefix, workerId: name, lease, mirror };
    this.registry = new RedisRegistry(this.link, options, new Runtime());
    for (const one of data(this.link, name)) this.registry.keep(one);
    this.#link.hear = (channel, payload): void => {
      if (channel !== this.registry.channel) this.hear(channel, payload);
      else if (!this.loses(payload.toString())) this.registry.receive(payload);
    };
    this.#started = this.registry.start(this).then(() => void (this.#isStarted = true));
  }

  get link(): RedisLink {
    return this.#link.link;
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Resolves once the first view is complete. */
  started(): Promise<void> {
    return this.#started;
  }

  /** A client connects. @returns its id */
  connect(user: SharedUser | null = null): string {
    const clientId = `${this.name}.${++this.#count}`;
    const record = { clientId, connectedAt: this.#count, user, metadata: {}, rooms: [] };
    this.clients.set(clientId, record);
    this.registry.record({ kind: 'connected', record });
    return clientId;
  }

  disconnect(clientId: string, code = 1000): void {
    const { rooms, user } = this.#own(clientId);
    for (const { roomName } of rooms) this.leave(clientId, roomName);
    this.clients.delete(clientId);
    this.registry.record({ kind: 'disconnected', clientId, userId: user?.userId, code, reason: '' });
  }

  join(clientId: string, roomName: string, presence?: SharedPresence): void {
    const record = this.#own(clientId);
    const membership = { roomName, presence };
    this.clients.set(clientId, { ...record, rooms: [...record.rooms, membership] });
    this.registry.record({ kind: 'joined', clientId, userId: record.user?.userId, membership });
  }

  leave(clientId: string, roomName: string): void {
    const record = this.#own(clientId);
    const membership = { roomName };
    this.clients.set(clientId, { ...record, rooms: record.rooms.filter((room) => room.roomName !== roomName) });
    this.registry.record({ kind: 'left', clientId, userId: record.user?.userId, membership });
  }

  identify(clientId: string, user: SharedUser): void {
    this.clients.set(clientId, { ...this.#own(clientId), user });
    this.registry.record({ kind: 'identified', clientId, user });
  }

  update(clientId: string, key: string, data: unknown): void {
    const record = this.#own(clientId);
    this.clients.set(clientId, { ...record, metadata: { ...record.metadata, [key]: data } });
    this.registry.record({ kind: 'updated', clientId, key, data });
  }

  /** A member is described anew. */
  describe(clientId: string, roomName: string, membership: Omit<SharedMembership, 'roomName'>): void {
    const record = this.#own(clientId);
    this.clients.set(clientId, { ...record, rooms: described(record, { ...membership, roomName }) });
    this.registry.describe(clientId, roomName, 'description');
  }

  /** A member sets its state. */
  setState(clientId: string, roomName: string, state: unknown, stateAt: number): void {
    const record = this.#own(clientId);
    const membership = record.rooms.find((room) => room.roomName === roomName)!;
    this.clients.set(clientId, { ...record, rooms: described(record, withState(membership, { state, stateAt })) });
    this.registry.describe(clientId, roomName, 'state');
  }

  get size(): number {
    return this.clients.size;
  }

  get hasPresence(): boolean {
    return this.grace !== undefined;
  }

  membership(clientId: string, roomName: string): SharedMembership | undefined {
    return this.clients.get(clientId)?.rooms.find((room) => room.roomName === roomName);
  }

  stays(_roomName: string, after: number): number | undefined {
    return this.grace === undefined ? undefined : Date.now() + after + this.grace;
  }

  absent(client: AbsentClient): void {
    this.absents.set(client.clientId, client);
  }

  records(): Iterable<ClientRecord> {
    return this.clients.values();
  }

  record(clientId: string): ClientRecord | undefined {
    return this.clients.get(clientId);
  }

  changed(workerId: string, change: ClientChange): void {
    const clients = this.view.get(workerId) ?? new Map<string, ClientRecord>();
    this.view.set(workerId, clients);
    if (change.kind === 'connected') this.#met(clients, change.record);
    else this.#reflect(clients, change);
    if (clients.size === 0) this.view.delete(workerId);
  }

  returned(): void {
    this.returns++;
  }

  /** Whether it knows of the other's clients what the other knows. */
  knows(other: RegistryWorker): boolean {
    const known = this.view.get(other.name);
    // Asked again and again while much is on its way: the texts are made once the numbers agree.
    return sizeOf(known) === sizeOf(other.clients) && textOf(known) === textOf(other.clients);
  }

  /** Resolves once it does. */
  async learns(...others: RegistryWorker[]): Promise<void> {
    const isDone = (): boolean => others.every((other) => this.knows(other));
    await until(`${this.name} knows of ${others.map(({ name }) => name).join(', ')}`, isDone);
  }

  async stop(): Promise<void> {
    await this.registry.stop();
    await this.link.stop();
  }

  /** It dies without a word. */
  async kill(): Promise<void> {
    await this.link.stop();
    await this.registry.stop();
  }

  #own(clientId: string): ClientRecord {
    const record = this.clients.get(clientId);
    if (!record) throw new Error(`${clientId} is not connected.`);
    return record;
  }

  #met(clients: Clients, record: ClientRecord): void {
    this.told.push(`connected ${record.clientId}`);
    if (clients.has(record.clientId)) this.faults.push(`${record.clientId} connected twice`);
    if (record.rooms.length > 0) this.faults.push(`${record.clientId} connected in a room`);
    clients.set(record.clientId, record);
  }

  #reflect(clients: Clients, change: Exclude<ClientChange, { kind: 'connected' }>): void {
    const { kind, clientId } = change;
    const record = clients.get(clientId);
    if (!record) {
      this.told.push(`${kind} ${clientId}`);
      if (this.isMirroring) this.faults.push(`${kind} of ${clientId}, who is not there`);
      return;
    }
    const { rooms } = record;
    switch (change.kind) {
      case 'disconnected':
        this.told.push(`${kind} ${clientId} ${change.code}`);
        if (rooms.length > 0) this.faults.push(`${clientId} disconnected in a room`);
        clients.delete(clientId);
        break;
      case 'identified':
        this.told.push(`${kind} ${clientId} ${change.user.userId}`);
        clients.set(clientId, { ...record, user: change.user });
        break;
      case 'joined':
        this.told.push(`${kind} ${clientId} ${change.membership.roomName}`);
        if (isIn(record, change.membership.roomName)) this.faults.push(`${clientId} joined twice`);
        clients.set(clientId, { ...record, rooms: [...rooms, change.membership] });
        break;
      case 'described':
        this.told.push(`${kind} ${clientId} ${change.membership.roomName}`);
        if (!isIn(record, change.membership.roomName)) this.faults.push(`${clientId} was described where it is not`);
        clients.set(clientId, { ...record, rooms: described(record, change.membership) });
        break;
      case 'left':
        this.told.push(`${kind} ${clientId} ${change.membership.roomName}`);
        this.stayed.set(`${clientId} ${change.membership.roomName}`, change.until);
        if (!isIn(record, change.membership.roomName)) this.faults.push(`${clientId} left a room it was not in`);
        clients.set(clientId, {
          ...record,
          rooms: rooms.filter(({ roomName }) => roomName !== change.membership.roomName),
        });
        break;
      case 'updated':
        this.told.push(`${kind} ${clientId} ${change.key}`);
        clients.set(clientId, { ...record, metadata: { ...record.metadata, [change.key]: change.data } });
        break;
    }
  }
}

function described({ rooms }: ClientRecord, membership: SharedMembership): SharedMembership[] {
  return rooms.map((room) => (room.roomName === membership.roomName ? membership : room));
}

function isIn({ rooms }: ClientRecord, name: string): boolean {
  return rooms.some(({ roomName }) => roomName === name);
}

/** How many clients there are, and memberships of them. */
function sizeOf(clients: Clients = new Map()): number {
  let size = clients.size;
  for (const { rooms } of clients.values()) size += rooms.length;
  return size;
}

/** The clients as a text in which order does not matter. */
function textOf(clients: Clients = new Map()): string {
  const texts = [...clients.values()].map(({ clientId, user, metadata, rooms }) => {
    const memberships = rooms.map(({ roomName, username, presence: shown }) => {
      const { joinedAt, memberId, took, profile, describedAt, state, stateAt } = shown ?? {};
      const presence = [joinedAt, memberId, took, profile, describedAt, state, stateAt];
      return JSON.stringify([roomName, username, presence]);
    });
    return JSON.stringify([clientId, user, Object.entries(metadata).sort(), memberships.sort()]);
  });
  return texts.sort().join('\n');
}
