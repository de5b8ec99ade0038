import { isSoak } from '../cluster-periods.js';
import { SeededRandom } from '../seeded-random.js';
import { BRIEF, SIZES, type FleetWorker, type HistoryFleet, type RoomKind } from './history-fleet.js';
import { faultsOf } from './record-check.js';
import { believeMembers } from './room-witness.js';
import type { RoomTruth } from './room-witness.js';
import { StoryClient } from './story-client.js';

/** A room of a story, and what has happened to it. */
interface Room {
  readonly name: string;
  readonly kind: RoomKind;
  readonly truth: RoomTruth;
}

/** Something that was sent. */
interface Said {
  readonly text: string;
  readonly rooms: readonly Room[];
  readonly worker: number;
  readonly key: string | undefined;
  /** The id of the client that does not get it. */
  readonly excluded: string | undefined;
  result: 'sent' | 'refused' | undefined;
}

/** What befalls a whole story, once in its middle. */
const CALAMITIES = ['restart', 'loss', 'failover', 'replace', 'kill', 'expiry', 'freeze'] as const;
export type Calamity = (typeof CALAMITIES)[number];

/** How many of a hundred stories have one. */
const CALAMITOUS = 12;
const STEPS = isSoak ? 50 : 30;
/** Milliseconds until everybody has everything, once nothing fails any more. */
const PATIENCE = 40_000;
/** Milliseconds between two looks at who has everything. */
const LOOK = 10;
/** Milliseconds for a whole story. */
const MOST = 90_000;

/**
 * What happens, by chance, to the members of two or three rooms on three workers. The same seed tells the same story, as far
 * as its steps go; how they meet is up to the machine.
 */
export class HistoryStory {
  readonly #random: SeededRandom;
  readonly #rooms: Room[];
  /** The server puts everybody into it. */
  readonly #guided: Room | undefined;
  readonly #clients: StoryClient[] = [];
  readonly #said: Said[] = [];
  /** What is under way and never rejects. */
  readonly #work: Promise<unknown>[] = [];
  readonly #timers = new Map<NodeJS.Timeout, () => void>();
  readonly #diary: string[] = [];
  readonly calamity: Calamity | undefined;
  #mayBeginEpochs = false;
  #mayForget = false;

  constructor(
    private readonly fleet: HistoryFleet,
    readonly seed: number,
    calamity?: Calamity,
  ) {
    this.#random = new SeededRandom(seed);
    const chance = this.#random.below(100);
    this.calamity = calamity ?? (chance < CALAMITOUS ? this.#random.pick(CALAMITIES) : undefined);
    const kinds: RoomKind[] = ['usual', this.calamity === 'expiry' ? 'brief' : 'tiny'];
    if (this.#random.chance(0.5)) kinds.push('usual');
    const isGuided = this.#random.chance(0.4);
    if (isGuided) kinds.push('usual');
    this.#rooms = kinds.map((kind, at) => {
      const name = `story ${seed} ${at} ${kind}`;
      return { name, kind, truth: fleet.witness.truthOf(name) };
    });
    if (isGuided) this.#guided = this.#rooms.at(-1);
  }

  /** @returns what went wrong, in sentences; none: all is well */
  async tell(): Promise<string[]> {
    let watchdog: NodeJS.Timeout | undefined;
    const late = new Promise<string[]>((resolve) => {
      watchdog = setTimeout(() => resolve(this.#pending()), MOST);
    });
    try {
      return await Promise.race([late, this.#tell()]);
    } catch (error) {
      return [`the story broke off: ${(error as Error).stack}`];
    } finally {
      clearTimeout(watchdog);
      this.#hurry();
      this.fleet.heal();
      await Promise.all(this.#clients.map((client) => client.close()));
    }
  }

  async #tell(): Promise<string[]> {
    await this.#begin();
    const middle = STEPS / 2 + this.#random.below(STEPS / 4);
    for (let step = 0; step < STEPS; step++) {
      if (step === middle && this.calamity) await this.#befall(this.calamity);
      await this.#step();
    }
    return [...(await this.#settle()), ...this.#verdict()];
  }

  /** What never ended. */
  #pending(): string[] {
    const asked = this.#clients.flatMap(({ userId, pending }) =>
      pending.map((what) => `${userId} has no answer to ${what}`),
    );
    const sends = this.#said.filter(({ result }) => result === undefined).map(({ text }) => `${text} never settled`);
    return ['the story never ended', ...asked, ...sends];
  }

  /** What happened, a line for each event. */
  get diary(): string {
    return this.#diary.join('\n');
  }

  /** What each client knows, for who looks into a failure. */
  get records(): string {
    return this.#clients
      .flatMap(({ userId, records }) => [...records.values()].map((record) => ({ userId, record })))
      .map(({ userId, record }) => `${userId} ${record.roomName}: ${JSON.stringify(record.notes)}`)
      .join('\n');
  }

  async #begin(): Promise<void> {
    const count = 4 + this.#random.below(3);
    for (let at = 0; at < count; at++) {
      const client = new StoryClient(`${this.seed}-${at}`, this.#random.chance(0.3) ? 'event.v1' : 'pxl.v1');
      this.#clients.push(client);
      for (const room of this.#rooms) {
        if (room !== this.#guided && this.#random.chance(0.75)) await client.join(room.name);
      }
    }
    await Promise.all(this.#clients.map((client) => this.#connect(client, this.#random.below(3))));
  }

  async #connect(client: StoryClient, at: number): Promise<void> {
    const { app, service } = this.fleet.workers[at]!;
    await client.connect(app.url());
    const { clientId } = client;
    while (this.#guided && !client.isAway && client.clientId === clientId) {
      try {
        await service.joinRooms({ clientIds: [clientId], rooms: [this.#guided.name] });
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, LOOK));
      }
    }
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const dice = random.below(100);
    if (dice < 46) this.#say(1 + random.below(4));
    else if (dice < 49) this.#sayEverywhere();
    else if (dice < 58) this.#cut();
    else if (dice < 76) this.#return();
    else if (dice < 80) this.#move();
    else if (dice < 82) this.#pause();
    else if (dice < 91) await this.#wait();
    else if (dice < 92) this.#trim();
    else await this.#trouble();
    for (let turns = random.below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
  }

  #say(count: number): void {
    const room = this.#random.pick(this.#rooms);
    const worker = this.#random.below(3);
    for (let at = 0; at < count; at++) this.#send([room], worker);
  }

  #sayEverywhere(): void {
    this.#send(this.#rooms, this.#random.below(3));
  }

  /** More than a small room keeps. */
  #trim(): void {
    const room = this.#rooms.find(({ kind }) => kind === 'tiny');
    if (!room) return;
    this.#note('a room is trimmed');
    const worker = this.#random.below(3);
    for (let at = 0; at <= SIZES.tiny; at++) this.#send([room], worker);
  }

  #send(rooms: readonly Room[], worker: number): void {
    const random = this.#random;
    const text = `${this.seed}.${this.#said.length}`;
    const excluded = random.chance(0.05) ? random.pick(this.#clients).clientId || undefined : undefined;
    const key = random.chance(0.2) ? text : undefined;
    const said: Said = { text, rooms, worker, key, excluded, result: undefined };
    this.#said.push(said);
    this.#follow(this.#sendUntilTaken(said));
  }

  async #sendUntilTaken(said: Said): Promise<void> {
    const { text, rooms, worker, key, excluded } = said;
    const exclude = excluded === undefined ? [] : [excluded];
    const names = rooms.map(({ name }) => name);
    const message = { type: 'story', action: 'said', data: text };
    for (let attempt = 0; ; attempt++) {
      try {
        const { service } = this.fleet.workers[worker]!;
        await service.sendToRooms(names, message, { exclude, ...(key === undefined ? {} : { idempotencyKey: key }) });
        said.result = 'sent';
        return;
      } catch (error) {
        said.result = 'refused';
        this.#note(`${text} is refused: ${(error as Error).message}`);
        if (key === undefined || attempt === 2) return;
      }
    }
  }

  #cut(): void {
    const client = this.#random.pick(this.#clients);
    const how = this.#random.chance(0.5) ? 'reset' : 'silence';
    this.#note(`${client.userId} is cut (${how})`);
    client.cut(how);
  }

  #return(): void {
    const away = this.#clients.filter((client) => client.isAway);
    if (away.length === 0) return;
    const client = this.#random.pick(away);
    const worker = this.#random.below(3);
    this.#note(`${client.userId} returns to ${worker}`);
    this.#follow(this.#connect(client, worker));
  }

  /** Somebody leaves a room, or enters one. */
  #move(): void {
    const random = this.#random;
    const client = random.pick(this.#clients);
    const room = random.pick(this.#rooms);
    const { name } = room;
    if (room === this.#guided) return;
    const history = random.chance(0.5) ? random.below(8) : undefined;
    const isIn = client.wants(name);
    // It is about to enter it, or to leave it.
    if (!client.isAway && isIn !== client.recordOf(name).isMember) return;
    this.#note(`${client.userId} ${isIn ? 'leaves' : 'enters'} ${name}`);
    if (isIn) this.#follow(client.leave(name));
    else this.#follow(client.join(name, history));
  }

  #pause(): void {
    const client = this.#random.pick(this.#clients);
    client.pause();
    this.#later(this.#random.below(30), () => client.resume());
  }

  async #wait(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#random.below(12)));
  }

  async #trouble(): Promise<void> {
    const random = this.#random;
    const at = random.below(3);
    const { proxy } = this.fleet.workers[at]!;
    const what = random.pick(['reset', 'reset', 'hole', 'loss', 'pubsub', 'pubsub', 'normal', 'flush', 'clear']);
    this.#note(`trouble: ${what} of worker ${at}`);
    if (what === 'reset') proxy.reset();
    else if (what === 'hole') this.#follow(this.#blackHole(at, random.below(150)));
    else if (what === 'loss') {
      proxy.replies = 'drop';
      this.#later(random.below(40), () => proxy.heal());
    } else if (what === 'flush') await this.fleet.redis.command('SCRIPT', 'FLUSH');
    else if (what === 'clear') this.#clear(at);
    else await this.fleet.cutRedis(what as 'pubsub' | 'normal');
  }

  #clear(worker: number): void {
    const { name } = this.#random.pick(this.#rooms);
    this.#mayBeginEpochs = true;
    this.#follow(this.fleet.workers[worker]!.service.clearHistory(name).catch(() => undefined));
  }

  async #blackHole(at: number, ms: number): Promise<void> {
    const { proxy } = this.fleet.workers[at]!;
    proxy.blackHole();
    await new Promise<void>((resolve) => this.#later(ms, resolve));
    proxy.heal();
  }

  async #befall(calamity: Calamity): Promise<void> {
    const { fleet } = this;
    const random = this.#random;
    const at = random.below(3);
    this.#note(`calamity: ${calamity}`);
    if (['restart', 'loss', 'failover'].includes(calamity)) this.#mayBeginEpochs = true;
    if (calamity === 'restart') await fleet.restart(true);
    else if (calamity === 'loss') await fleet.restart(false);
    else if (calamity === 'failover') await fleet.failOver(() => this.#goOn());
    else if (calamity === 'replace') {
      // It would wait for those who are silent.
      for (const client of this.#clients) client.forget();
      await fleet.replace(at);
    } else if (calamity === 'kill') {
      const url = fleet.workers[at]!.app.url();
      for (const client of this.#clients) if (client.url === url) client.cut('reset');
      await fleet.kill(at);
    } else if (calamity === 'freeze') {
      fleet.redis.freeze();
      this.#say(3);
      this.#later(random.below(1_500), () => fleet.redis.thaw());
    } else {
      this.#mayForget = true;
      await Promise.all(this.#work);
      await new Promise((resolve) => setTimeout(resolve, BRIEF + 20));
    }
  }

  /** What a master still takes when its replica has left it. */
  async #goOn(): Promise<void> {
    for (let times = 0; times < 3; times++) this.#say(2);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Everything heals, everybody returns, and one last message of each room reaches all of its members. */
  async #settle(): Promise<string[]> {
    const { fleet } = this;
    this.#hurry();
    fleet.heal();
    for (const client of this.#clients) client.resume();
    await Promise.all(this.#work.splice(0));
    await Promise.all(this.#rooms.map((room) => this.#sayTheLast(room)));
    return this.#arrival();
  }

  async #sayTheLast({ name }: Room): Promise<void> {
    const message = { type: 'story', action: 'said', data: `${name} end` };
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const { service } = this.#anyWorker();
      try {
        await service.sendToRooms([name], message, { idempotencyKey: `${name} end` });
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** Resolves once each member stands at the top, with those who never get there. */
  async #arrival(): Promise<string[]> {
    let deadline = performance.now() + PATIENCE;
    for (;;) {
      const away = this.#clients.filter((client) => client.isAway);
      await Promise.all(away.map((client) => this.#connect(client, this.#random.below(3))));
      // The server has put them into the room, and they have not read that yet: their time begins now.
      if (away.length > 0) deadline = performance.now() + PATIENCE;
      const late = this.#late();
      if (late.length === 0) return [];
      if (performance.now() > deadline) return late;
      await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
  }

  #late(): string[] {
    return this.#clients.flatMap((client) =>
      this.#rooms.flatMap((room) => {
        const { name, truth } = room;
        const { isMember, position } = client.recordOf(name);
        if (room !== this.#guided && !client.wants(name)) return [];
        const top = truth.topOf(truth.epoch);
        const isThere = isMember && position?.epoch === truth.epoch && position.offset >= top;
        if (isThere && truth.placesOf(`${name} end`).length > 0) return [];
        const where = isMember ? `stands at ${position?.offset} of ${position?.epoch}` : 'is no member';
        const state = client.isAway ? 'away' : `connected, ${client.pending.length} requests open`;
        return [`${client.userId} (${state}) ${where} of ${name}, whose top is ${top} of ${truth.epoch}`];
      }),
    );
  }

  #verdict(): string[] {
    const excluded = new Map<string, string | undefined>(this.#said.map((said) => [said.text, said.excluded]));
    const ofRooms = this.#rooms.flatMap(({ name, kind, truth }) => {
      if (this.#mayBeginEpochs) {
        believeMembers(
          truth,
          this.#clients.map((client) => client.recordOf(name)),
        );
      }
      const story = { truth, size: SIZES[kind], mayExpire: this.#mayForget && kind === 'brief', excluded };
      const epochs =
        truth.epochs.length > 1 && !this.#mayBeginEpochs ? [`${name} has epochs ${truth.epochs.join()}`] : [];
      const numbers = truth.epochs.flatMap((epoch) =>
        holesOf(truth, epoch).map((at) => `${name}: number ${at} is burnt`),
      );
      const records = this.#clients.flatMap((client) => faultsOf(client.recordOf(name), client, story));
      return [...truth.contradictions, ...epochs, ...numbers, ...records];
    });
    return [...ofRooms, ...this.#sendFaults()];
  }

  #sendFaults(): string[] {
    const faults: string[] = [];
    for (const { text, rooms, key, result } of this.#said) {
      for (const { truth, name } of rooms) {
        const places = truth.placesOf(text);
        if (result === 'sent' && places.length === 0) faults.push(`${text} was sent, and is not in ${name}`);
        const epochs = new Set(places.map((place) => place.slice(place.indexOf(' of '))));
        if (places.length > (key === undefined ? 1 : epochs.size))
          faults.push(`${text} is in ${name} at ${places.join()}`);
      }
    }
    const order = new Map(this.#said.map(({ text }, at) => [text, at]));
    for (const { truth, name } of this.#rooms) {
      for (const epoch of truth.epochs) {
        for (let worker = 0; worker < 3; worker++) {
          const own = truth
            .said(epoch)
            .map((text) => this.#said[order.get(text) ?? -1])
            .filter((said) => said?.worker === worker && said.key === undefined && said.result === 'sent');
          const numbers = own.map((said) => order.get(said!.text)!);
          if (numbers.some((number, at) => at > 0 && number < numbers[at - 1]!)) {
            faults.push(`${name}: worker ${worker} sent in order, and the room has ${numbers.join()}`);
          }
        }
      }
    }
    return faults;
  }

  #anyWorker(): FleetWorker {
    return this.#random.pick(this.fleet.workers);
  }

  #follow(work: Promise<unknown>): void {
    this.#work.push(work);
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.set(timer, act);
  }

  /** What was to come later comes now. */
  #hurry(): void {
    for (const [timer, act] of this.#timers) {
      clearTimeout(timer);
      act();
    }
    this.#timers.clear();
  }

  #note(line: string): void {
    this.#diary.push(line);
  }
}

/** Numbers below the top that no message has. */
function holesOf(truth: RoomTruth, epoch: string): number[] {
  const top = truth.topOf(epoch);
  return Array.from({ length: top }, (_, at) => at + 1).filter((offset) => truth.at(epoch, offset) === undefined);
}
