import { setImmediate, setTimeout } from 'node:timers/promises';
import type { ClientSession } from '../../../lib/clients/session/client-session.js';
import { isSoak } from '../cluster-periods.js';
import { persistently } from '../persistently.js';
import { SeededRandom } from '../seeded-random.js';
import type { StallWatch } from '../../../lib/testing/stall-watch.js';
import { DeliveryClient, KINDS } from './delivery-client.js';
import { OWN_WORKER, type Sent } from './delivery-ledger.js';
import { isKept, MAX_WINDOW, roomOf, windowOf, type DeliveryWorld } from './delivery-world.js';

const WINDOWS = [0, 5, 20, 100] as const;
const KEYS = ['bread', 'milk'] as const;
/** Of one byte in UTF-8, of two and of four. */
const LETTERS = ['x', 'x', 'ü', '😀'] as const;
/** Letters of a message, as often as they stand here. */
const SIZES = [10, 10, 10, 10, 300, 300, 5_000, 40_000] as const;
const STEPS = isSoak ? 80 : 40;
/** Milliseconds until everybody has everything. */
const PATIENCE = 20_000;
/** Milliseconds beside a window, where the process did not stand still, and on a machine that does much else. */
const SLACK = [25, 100] as const;

interface Room {
  readonly name: string;
  readonly members: DeliveryClient[];
}

/**
 * What is sent, by chance, to some clients: to rooms with windows, to one client, with answers, whispers, pings and closes
 * between. The same seed tells the same story.
 */
export class DeliveryStory {
  readonly #random: SeededRandom;
  readonly #rooms: Room[] = [];
  readonly #clients: DeliveryClient[] = [];
  /** Clients that are in one room alone, and get nothing else: nothing takes along what waits for them. */
  readonly #listeners = new Set<DeliveryClient>();
  /** Clients that have got the beginning of a message alone. */
  readonly #inFragments = new Set<DeliveryClient>();
  readonly #work: Promise<unknown>[] = [];
  readonly diary: string[] = [];
  #lastNumber = 0;

  constructor(
    private readonly world: DeliveryWorld,
    readonly seed: number,
  ) {
    this.#random = new SeededRandom(seed);
  }

  /** @returns what went wrong, in sentences; none: all is well */
  async tell(watch: StallWatch): Promise<string[]> {
    try {
      await this.#begin();
      for (let step = 0; step < STEPS; step++) await this.#step();
      await this.#settle();
      const bounds = { stalled: watch.stalled, maxWindow: MAX_WINDOW, slack: SLACK };
      return this.#clients.flatMap(({ ledger }) => ledger.faults(bounds));
    } catch (error) {
      return [`the story broke off: ${(error as Error).stack}`];
    } finally {
      await Promise.all(this.#clients.map((client) => client.end()));
    }
  }

  async #begin(): Promise<void> {
    const { world } = this;
    const random = this.#random;
    const count = 3 + random.below(3);
    for (let at = 0; at < count; at++) {
      const worker = random.below(world.workers.length);
      const client = new DeliveryClient(`client ${at}`, random.pick(KINDS), worker);
      if (world.isTransformed) client.ledger.isPrompt = false;
      this.#clients.push(client);
      if (random.chance(0.3)) this.#listeners.add(client);
    }
    await Promise.all(this.#clients.map((client) => client.connect(world.workers[client.worker]!.url)));
    for (const client of this.#clients) {
      world.tellLastSent(client.worker, client.clientId, () => client.ledger.lastNumber);
    }
    const story = String(this.seed);
    const names = [...WINDOWS.map((window) => roomOf(story, window)), roomOf(story, random.pick(WINDOWS), true)];
    const heard = random.pick(names);
    for (const name of names) {
      const members = this.#clients.filter((client) => random.chance(0.7) && !this.#listeners.has(client));
      if (name === heard) members.push(...this.#listeners);
      this.#rooms.push({ name, members });
      const clientIds = members.map(({ clientId }) => clientId);
      const join = (): Promise<void> => world.workers[0]!.service.joinRooms({ clientIds, rooms: [name] });
      if (members.length > 0) await persistently('all are members', join);
    }
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const dice = random.below(100);
    if (dice < 45) this.#sayToRooms(1 + random.below(4));
    else if (dice < 57) this.#sayToOne();
    else if (dice < 65) this.#ask();
    else if (dice < 71) this.#whisper();
    else if (dice < 77) this.#write();
    else if (dice < 81) this.#rest();
    else if (dice < 83) this.#close();
    else if (dice < 92) await setTimeout(random.below(30));
    for (let turns = random.below(3); turns > 0; turns--) await setImmediate();
  }

  #sayToRooms(count: number): void {
    const random = this.#random;
    const rooms = random.chance(0.2)
      ? [random.pick(this.#rooms), random.pick(this.#rooms)]
      : [random.pick(this.#rooms)];
    const worker = random.below(this.world.workers.length);
    for (let times = 0; times < count; times++) this.#sayTo([...new Set(rooms)], worker);
  }

  #sayTo(rooms: readonly Room[], worker: number): void {
    const random = this.#random;
    const kept = rooms.filter(({ name }) => isKept(name));
    // In a room with history a message has a place of its own, and goes alone.
    const [alone] = kept;
    const targets = alone ? [alone] : rooms;
    const isVolatile = random.chance(0.1);
    const isLive = !alone || isVolatile;
    const key = isLive && random.chance(0.2) ? random.pick(KEYS) : undefined;
    const names = targets.map(({ name }) => name);
    const members = new Set(targets.flatMap((room) => room.members));
    const excluded = random.chance(0.1) ? random.pick(this.#clients) : undefined;
    const { message, number } = this.#next();
    for (const client of members) {
      if (client === excluded) continue;
      const stream = isLive ? streamOf(client, worker) : `${names.join()} by ${worker}`;
      const window = stream === OWN_WORKER ? Math.max(...names.map(windowOf)) : undefined;
      const sent: Sent = { number, stream, sentAt: performance.now(), window, mayBeMissing: isVolatile };
      // It counts as one of the first of the rooms that has the client.
      const first = targets.find((room) => room.members.includes(client));
      client.ledger.expect(key === undefined ? sent : { ...sent, key: `${key} in ${first?.name}` });
    }
    this.#note(`${worker} says ${number} to ${names.join()}${key === undefined ? '' : `, ${key}`}`);
    this.#follow(
      this.world.workers[worker]!.service.sendToRooms(names, message, {
        volatile: isVolatile,
        exclude: excluded ? [excluded.clientId] : [],
        ...(key === undefined ? {} : { conflate: key }),
      }),
    );
  }

  #sayToOne(): void {
    const random = this.#random;
    const client = random.pick(this.#clients);
    if (this.#listeners.has(client)) return;
    const worker = random.below(this.world.workers.length);
    const key = random.chance(0.2) ? random.pick(KEYS) : undefined;
    const { message, number } = this.#next();
    const sent = this.#sentTo(client, number, worker);
    client.ledger.expect(key === undefined ? sent : { ...sent, key });
    this.#note(`${worker} says ${number} to ${client.name}${key === undefined ? '' : `, ${key}`}`);
    const options = key === undefined ? {} : { conflate: key };
    this.#follow(this.world.workers[worker]!.service.sendToClients([client.clientId], message, options));
  }

  #ask(): void {
    const client = this.#anyOf(this.#clients);
    if (!client) return;
    const n = ++this.#lastNumber;
    client.ledger.asked.push(n);
    this.#note(`${client.name} asks ${n}`);
    client.send('story', 'ask', { n }, String(n));
  }

  #whisper(): void {
    const random = this.#random;
    const room = random.pick(this.#rooms);
    const speaker = this.#anyOf(room.members);
    if (!speaker) return;
    const { number } = this.#next();
    for (const client of room.members) {
      if (client === speaker) continue;
      const stream = `whispers of ${speaker.name}`;
      client.ledger.expect({ number, stream, sentAt: performance.now(), window: undefined, mayBeMissing: false });
    }
    this.#note(`${speaker.name} whispers ${number} to ${room.name}`);
    speaker.send('system', 'whisper', { roomName: room.name, action: 'n', data: { n: number } });
  }

  /** What the application writes to a client by its session or its socket. */
  #write(): void {
    const random = this.#random;
    const client = this.#anyOf(this.#clients);
    const session = client && this.#sessionOf(client);
    if (!session) return;
    const how = random.pick(this.#waysTo(client));
    const { message, number } = this.#next();
    client.ledger.expect(this.#sentTo(client, number, client.worker));
    this.#note(`${client.name} gets ${number} by ${how}`);
    if (how === 'send') session.send(message);
    else if (how === 'binary') session.sendBinary(JSON.stringify(message));
    else if (how === 'socket') session.ws.send(JSON.stringify(message));
    else if (how === 'fragments') this.#writeInFragments(client, session, JSON.stringify(message));
    else session.ws.ping(JSON.stringify({ n: number }));
  }

  /** What is sent meanwhile waits for the end of the message. */
  #writeInFragments(client: DeliveryClient, session: ClientSession, text: string): void {
    client.ledger.isPrompt = false;
    this.#inFragments.add(client);
    session.ws.send(text.slice(0, 10), { fin: false });
    const end = (): void => {
      session.ws.send(text.slice(10), { fin: true });
      this.#inFragments.delete(client);
    };
    this.#follow(setTimeout(this.#random.below(30)).then(end));
  }

  /**
   * A ping passes what a transformer or a cipher works on; a fragment is refused there, and nothing is sent past a cipher. Amid a
   * fragmented message the application writes nothing else by the socket.
   */
  #waysTo(client: DeliveryClient): readonly Way[] {
    if (client.isEncrypted || this.#inFragments.has(client)) return ['send', 'binary'];
    return this.world.isTransformed
      ? ['send', 'binary', 'socket']
      : ['send', 'binary', 'socket', 'socket', 'fragments', 'ping'];
  }

  /** Somebody reads nothing for a while. */
  #rest(): void {
    const client = this.#anyOf(this.#clients);
    if (!client) return;
    this.#note(`${client.name} rests`);
    client.pause();
    this.#follow(setTimeout(this.#random.below(60)).then(() => client.resume()));
  }

  #close(): void {
    const client = this.#anyOf(this.#clients);
    const session = client && this.#sessionOf(client);
    if (!session || this.#open().length === 1 || this.#inFragments.has(client)) return;
    const code = 4_100 + this.#random.below(100);
    this.#note(`${client.name} is closed`);
    session.close(code);
    client.ledger.closes(code, ({ stream }) => stream !== OWN_WORKER);
    // What it has whispered may come too late.
    for (const { ledger } of this.#clients) {
      for (const sent of ledger.sent) if (sent.stream === `whispers of ${client.name}`) sent.mayBeMissing = true;
    }
  }

  /** Everybody reads, and gets a last message, behind which nothing comes. */
  async #settle(): Promise<void> {
    await Promise.all(this.#work);
    await this.#arrival();
    for (const client of this.#open()) {
      const { message, number } = this.#next();
      client.ledger.expect(this.#sentTo(client, number, client.worker));
      this.#sessionOf(client)?.send(message);
    }
    await this.#arrival();
  }

  async #arrival(): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    while (!this.#clients.every(({ ledger }) => ledger.isComplete) && performance.now() < deadline) await setTimeout(5);
  }

  #next(): { message: { type: string; action: string; data: unknown }; number: number } {
    const number = ++this.#lastNumber;
    const length = this.#random.pick(SIZES);
    const text = this.#random.pick(LETTERS).repeat(length);
    return { message: { type: 'story', action: 'said', data: { n: number, text, length: text.length } }, number };
  }

  #sentTo(client: DeliveryClient, number: number, worker: number): Sent {
    const stream = streamOf(client, worker);
    const window = stream === OWN_WORKER ? 0 : undefined;
    return { number, stream, sentAt: performance.now(), window, mayBeMissing: false };
  }

  /** One of them that is not closed, and does more than listen. */
  #anyOf(clients: readonly DeliveryClient[]): DeliveryClient | undefined {
    const open = clients.filter((client) => client.ledger.closedWith === undefined && !this.#listeners.has(client));
    return open.length > 0 ? this.#random.pick(open) : undefined;
  }

  #open(): DeliveryClient[] {
    return this.#clients.filter(({ ledger }) => ledger.closedWith === undefined);
  }

  #sessionOf({ worker, clientId }: DeliveryClient): ClientSession | undefined {
    return this.world.sessionOf(worker, clientId);
  }

  #follow(work: Promise<unknown>): void {
    this.#work.push(work);
  }

  #note(line: string): void {
    this.diary.push(line);
  }
}

type Way = 'send' | 'binary' | 'socket' | 'fragments' | 'ping';

function streamOf(client: DeliveryClient, worker: number): string {
  return client.worker === worker ? OWN_WORKER : `worker ${worker}`;
}
