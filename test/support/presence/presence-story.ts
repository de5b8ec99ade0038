import type { WsMember } from '../../../lib/protocol/presence.js';
import { isSoak } from '../cluster-periods.js';
import type { ClusterNode } from '../test-cluster.js';
import { SeededRandom } from '../seeded-random.js';
import { LEASE, RECONNECT_SPREAD, type PresenceFleet } from './presence-fleet.js';
import { PresenceLedger } from './presence-ledger.js';
import { GRACE, INTERVAL, SMALL } from './presence-rules.js';
import { faultsOf, keysOf, truthOf, type Truth } from './presence-truth.js';
import { textOf } from './room-view.js';
import { StoryMember, type Stay } from './story-member.js';

const KINDS = ['users', 'clients', 'small'] as const;

/** What befalls a worker, once in a story. */
const CALAMITIES = ['kill', 'stop', 'restart', 'freeze', 'longFreeze', 'cutOff'] as const;
export type Calamity = (typeof CALAMITIES)[number];

/** How many of a hundred stories have one. */
const CALAMITOUS = 40;
const CHAPTERS = isSoak ? 4 : 2;
const STEPS = isSoak ? 40 : 25;
/** Milliseconds until everybody knows who is there, once nothing happens any more. */
const PATIENCE = 15_000;
/** Milliseconds between two looks at that. */
const LOOK = 20;
/** Milliseconds for a whole story. */
const MOST = 60_000;

/**
 * What happens, by chance, to the members of two or three rooms on three workers. The same seed tells the same story, as far
 * as its steps go; how they meet is up to the machine.
 */
export class PresenceStory {
  readonly calamity: Calamity | undefined;
  readonly #random: SeededRandom;
  readonly #rooms: string[];
  /** What lost clients of a user may leave to the next one, by user and room. */
  readonly #lostStates = new Map<string, Set<string>>();
  readonly #ledgers = new Map<string, PresenceLedger>();
  readonly #members: StoryMember[] = [];
  readonly #work: Promise<unknown>[] = [];
  readonly #timers = new Map<NodeJS.Timeout, () => void>();
  readonly #diary: string[] = [];
  readonly #begin = performance.now();
  readonly #begunAt = Date.now();
  /** Since a worker's network failed: others may have believed that its members are gone, or not have known of them yet. */
  #isUnsure = false;
  /** Whether the network between workers and Redis fails now and then. */
  readonly #isRough: boolean;
  #states = 0;
  /** When a connection was lost last. */
  #lostAt = 0;

  /** @param calamity undefined: by chance; null: none */
  constructor(
    private readonly fleet: PresenceFleet,
    readonly seed: number,
    calamity?: Calamity | null,
  ) {
    this.#random = new SeededRandom(seed);
    const chance = this.#random.below(100);
    const picked = chance < CALAMITOUS ? this.#random.pick(CALAMITIES) : undefined;
    this.calamity = calamity === undefined ? picked : (calamity ?? undefined);
    this.#isRough = calamity !== null && this.#random.chance(0.5);
    const first = this.#random.below(KINDS.length);
    const count = 1 + this.#random.below(KINDS.length);
    this.#rooms = Array.from({ length: count }, (_, at) => `story ${seed} ${KINDS[(first + at) % KINDS.length]!}`);
    for (const roomName of this.#rooms) this.#ledgers.set(roomName, new PresenceLedger());
  }

  /** What happened, a line for each event. */
  get diary(): string {
    return this.#diary.join('\n');
  }

  /** What each member was told, for who looks into a failure. */
  get records(): string {
    return this.#members
      .flatMap((member) => this.#rooms.map((roomName) => ({ member, roomName })))
      .map(({ member, roomName }) => {
        const notes = member.viewsOf(roomName).map((view) => view.notes.join('\n    '));
        return `${member.name} ${member.clientId} (${member.userId}) in ${roomName}:\n    ${notes.join('\n    -- gone\n    ')}`;
      })
      .join('\n');
  }

  /** @returns what went wrong, in sentences; none: all is well */
  async tell(): Promise<string[]> {
    let watchdog: NodeJS.Timeout | undefined;
    const late = new Promise<string[]>((resolve) => {
      const pending = (): string[] =>
        this.#members.flatMap(({ name, pending }) => pending.map((what) => `${name} has no answer to ${what}`));
      watchdog = setTimeout(() => resolve(['the story never ended', ...pending()]), MOST);
    });
    try {
      return await Promise.race([late, this.#tell()]);
    } catch (error) {
      return [`the story broke off: ${(error as Error).stack}`];
    } finally {
      clearTimeout(watchdog);
      this.#hurry();
      await Promise.all(this.#members.map((member) => member.close()));
    }
  }

  async #tell(): Promise<string[]> {
    await this.#enterAll();
    const moment = { chapter: this.#random.below(CHAPTERS), step: this.#random.below(STEPS) };
    for (let chapter = 0; chapter < CHAPTERS; chapter++) {
      for (let step = 0; step < STEPS; step++) {
        if (this.calamity && chapter === moment.chapter && step === moment.step) this.#befall(this.calamity);
        await this.#step();
      }
      const faults = await this.#rest();
      if (faults.length > 0) return faults;
    }
    return [];
  }

  async #enterAll(): Promise<void> {
    const random = this.#random;
    const users = 2 + random.below(2);
    const count = 5 + random.below(3);
    for (let at = 0; at < count; at++) {
      const userId = at < users || random.chance(0.7) ? `${this.seed} u${at % users}` : undefined;
      // All clients of a user have the profile of the user.
      const name = userId === undefined ? `${this.seed} a${at}` : `name of ${userId}`;
      const member = new StoryMember(userId, name, random.chance(0.3) ? 'event.v1' : 'pxl.v1');
      this.#keepBooks(member);
      this.#members.push(member);
      for (const roomName of this.#rooms) if (random.chance(0.7)) await member.join(roomName, this.#wish(member));
    }
    await Promise.all(this.#members.map((member) => member.connect(this.#anyNode().worker.url())));
  }

  /** Keeps the books on a member. */
  #keepBooks(member: StoryMember): void {
    const keep = (roomName: string, act: (ledger: PresenceLedger, key: string) => void, ids?: ReadonlySet<string>) => {
      const known = ids ?? member.memberIds.get(roomName) ?? new Set<string>();
      for (const key of keysOf(roomName, member.userId, known)) act(this.#ledgers.get(roomName)!, key);
    };
    const heirs = (roomName: string): Set<string> => {
      const key = `${member.userId ?? member.name} in ${roomName}`;
      let states = this.#lostStates.get(key);
      if (!states) this.#lostStates.set(key, (states = new Set()));
      return states;
    };
    const lose = (roomName: string): void => {
      this.#lostAt = Math.max(this.#lostAt, performance.now());
      const stay = member.stays.get(roomName);
      if (!stay) return;
      for (const text of [textOf(stay.state ?? null), ...stay.inherited]) heirs(roomName).add(text);
    };
    member.onEntered = (roomName) => {
      keep(roomName, (ledger, key) => ledger.entered(key));
      const stay = member.stays.get(roomName);
      if (stay && !stay.hasState) stay.inherited = new Set(heirs(roomName));
    };
    member.onExited = (roomName, how) => {
      keep(roomName, (ledger, key) => ledger.exited(key, how));
      lose(roomName);
    };
    member.onDoubt = (roomName, ids) => {
      keep(roomName, (ledger, key) => ledger.doubted(key), ids);
      lose(roomName);
    };
  }

  #wish(member: StoryMember): Pick<Stay, 'username' | 'state' | 'watches'> {
    const random = this.#random;
    return {
      username: random.chance(0.5) ? `${member.name.at(-1)!} ${random.below(2)}` : undefined,
      state: random.chance(0.4) ? this.#newState() : undefined,
      watches: random.chance(0.85),
    };
  }

  #newState(): unknown {
    const number = ++this.#states;
    return this.#random.pick([number, { away: true, number }, [`é "${number}"`], null, 'same']);
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const dice = random.below(100);
    if (dice < 12) this.#cut();
    else if (dice < 18) this.#hangUp();
    else if (dice < 40) this.#return();
    else if (dice < 58) this.#move();
    else if (dice < 72) this.#change((member, room) => this.#setState(member, room));
    else if (dice < 77) this.#change((member, room) => this.#rename(member, room));
    else if (dice < 83) this.#change((member, room) => this.#watch(member, room));
    else if (dice < 84) this.#identify();
    else if (dice < 86) this.#takeOut();
    else if (dice < 87) this.#pause();
    else if (dice < 90 && this.#isRough) this.#trouble();
    else if (dice < 91) await this.#wait(GRACE + 200);
    else await this.#wait(random.below(4 * INTERVAL));
    for (let turns = random.below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
  }

  #cut(): void {
    const member = this.#random.pick(this.#members);
    const how = this.#random.pick(['reset', 'away', 'silence'] as const);
    this.#note(`${member.name} is cut (${how})`);
    member.cut(how);
  }

  #hangUp(): void {
    const member = this.#random.pick(this.#members);
    this.#note(`${member.name} hangs up`);
    member.hangUp();
  }

  #return(): void {
    const away = this.#members.filter((member) => member.isAway);
    if (away.length === 0) return;
    const member = this.#random.pick(away);
    const forgets = this.#random.chance(0.15);
    const node = this.#anyNode();
    this.#note(`${member.name} returns${forgets ? ' without its secret' : ''}`);
    this.#follow(member.connect(node.worker.url(), forgets));
  }

  /** Somebody leaves a room, or enters one. */
  #move(): void {
    const member = this.#random.pick(this.#members);
    const roomName = this.#random.pick(this.#rooms);
    const wish = this.#wish(member);
    const isIn = member.stays.has(roomName);
    // It is about to enter it.
    if (!member.isAway && isIn !== member.memberIds.has(roomName)) return;
    this.#note(`${member.name} ${isIn ? 'leaves' : 'enters'} ${roomName}`);
    if (isIn) this.#follow(member.leave(roomName));
    else this.#follow(member.join(roomName, wish));
  }

  #change(change: (member: StoryMember, roomName: string) => void): void {
    const member = this.#random.pick(this.#members);
    const roomName = this.#random.pick(this.#rooms);
    if (member.memberIds.has(roomName)) change(member, roomName);
  }

  #setState(member: StoryMember, roomName: string): void {
    const state = this.#newState();
    this.#note(`${member.name} has the state ${JSON.stringify(state)} in ${roomName}`);
    this.#follow(member.setState(roomName, state));
  }

  #rename(member: StoryMember, roomName: string): void {
    const username = `renamed ${this.#random.below(3)}`;
    this.#note(`${member.name} is ${username} in ${roomName}`);
    this.#follow(member.rename(roomName, username));
  }

  #watch(member: StoryMember, roomName: string): void {
    const watches = !member.stays.get(roomName)!.watches;
    this.#note(`${member.name} ${watches ? 'watches' : 'ignores'} ${roomName}`);
    this.#follow(member.watch(roomName, watches));
  }

  /** The server says who an anonymous client is. */
  #identify(): void {
    const member = this.#random.pick(this.#members);
    const roomName = this.#random.pick(this.#rooms);
    if (member.userId !== undefined || !member.memberIds.has(roomName)) return;
    const { clientId } = member;
    const node = this.fleet.nodes.find(({ worker }) => member.url === worker.url());
    if (!node) return;
    const userId = `${this.seed} new ${clientId.slice(-4)}`;
    this.#note(`${member.name} is ${userId}`);
    member.becomes(userId);
    const task = node.worker.run(({ server }, user) => server.joinRoom(user), {
      clientId,
      // Without presence: by the time that it is said, the client may have left the room.
      roomName: `${this.seed} lobby`,
      userId,
    });
    this.#follow(task.catch(() => undefined));
  }

  /** The server takes a member out of a room. */
  #takeOut(): void {
    const member = this.#random.pick(this.#members);
    const roomName = this.#random.pick(this.#rooms);
    if (!member.memberIds.has(roomName)) return;
    this.#note(`${member.name} is taken out of ${roomName}`);
    // It may have lost its connection when that happens, and is gone nevertheless.
    const ids = member.memberIds.get(roomName)!;
    for (const key of keysOf(roomName, member.userId, ids)) this.#ledgers.get(roomName)!.doubted(key);
    const move = { clientIds: [member.clientId], rooms: [roomName] };
    const task = this.#anyNode().worker.run(({ service }, given) => service.leaveRooms(given), move);
    this.#follow(task.catch(() => undefined));
  }

  #pause(): void {
    const member = this.#random.pick(this.#members);
    member.pause();
    this.#later(this.#random.below(3 * INTERVAL), () => member.resume());
  }

  /** What everybody gets over. */
  #trouble(): void {
    const random = this.#random;
    const { proxy, worker } = this.#anyNode();
    this.#isUnsure = true;
    const what = random.pick(['reset', 'hole', 'loss', 'late', 'freeze']);
    const ms = random.below(LEASE / 5);
    this.#note(`trouble: ${what} of ${worker.workerId} for ${ms} ms`);
    if (what === 'reset') proxy.reset();
    else if (what === 'freeze') {
      worker.freeze();
      this.#later(ms, () => worker.thaw());
    } else {
      if (what === 'hole') proxy.blackHole();
      else proxy.replies = what === 'loss' ? 'drop' : 30;
      this.#later(ms, () => proxy.heal());
    }
  }

  #befall(calamity: Calamity): void {
    const node = this.#anyNode();
    const { worker, proxy } = node;
    this.#note(`calamity: ${calamity} of ${worker.workerId}`);
    // Members of a worker that is dead stay for its lease, too.
    this.#lostAt = performance.now() + 2 * LEASE;
    const ms = 2 * LEASE + this.#random.below(LEASE);
    if (calamity === 'kill') this.#follow(this.fleet.replace(node, 'kill'));
    else if (calamity === 'stop') this.#follow(this.fleet.replace(node, 'stop'));
    else if (calamity === 'restart') this.#follow(this.fleet.replace(node, 'stop', false));
    else {
      this.#isUnsure = calamity !== 'freeze';
      if (calamity === 'cutOff') proxy.blackHole();
      else worker.freeze();
      const healed = new Promise<void>((resolve) => this.#later(calamity === 'freeze' ? LEASE / 3 : ms, resolve));
      this.#follow(healed.then(() => (calamity === 'cutOff' ? proxy.heal() : worker.thaw())));
    }
  }

  /** Nothing happens any more, until everybody knows who is there. */
  async #rest(): Promise<string[]> {
    this.#note('rest');
    // A long trouble takes as long as it does.
    while (this.#work.length > 0) await Promise.all(this.#work.splice(0));
    this.#hurry();
    this.fleet.heal();
    for (const member of this.#members) {
      member.resume();
      if (member.forget()) this.#lostAt = Math.max(this.#lostAt, performance.now());
    }
    // Who was lost may still count, without anybody's seeing a difference.
    await this.#wait(Math.max(0, this.#lostAt + GRACE + RECONNECT_SPREAD + 2 * INTERVAL - performance.now()));
    const late = await this.#agreement();
    if (late.length > 0) return [...late, ...this.#toldFaults()];
    const faults = [
      ...(await this.#silence()),
      ...this.#difference(),
      ...this.#toldFaults(),
      ...(await this.#readAgreement()),
    ];
    for (const ledger of this.#ledgers.values()) ledger.rest();
    for (const member of this.#members) member.rest();
    this.#lostStates.clear();
    this.#isUnsure = false;
    return faults;
  }

  /** Resolves once nothing is told any more. */
  async #silence(): Promise<string[]> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const pushes = this.#pushCount();
      await this.#wait(4 * INTERVAL);
      if (this.#pushCount() === pushes) return [];
      if (performance.now() > deadline) return ['it never ends that something is told'];
    }
  }

  async #agreement(): Promise<string[]> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const faults = this.#difference();
      if (faults.length === 0 || performance.now() > deadline) return faults;
      await this.#wait(LOOK);
    }
  }

  /** Where those who watch know something else than the truth. */
  #difference(): string[] {
    return this.#watchers().flatMap(({ member, roomName, truth }) => {
      const view = member.viewOf(roomName);
      const where = `${member.name} in ${roomName}`;
      if (view.knows === 'nothing') return [`${where} knows nothing`];
      if (view.count !== truth.length) return [`${where} counts ${view.count} of ${truth.length}`];
      const isSmall = roomName.endsWith('small');
      if (view.knows === 'count') return isSmall && truth.length > 0.8 * SMALL ? [] : [`${where} knows the count only`];
      if (isSmall && truth.length > SMALL) return [`${where} knows ${truth.length} members`];
      const members = [...view.members.values()].map((text) => JSON.parse(text) as WsMember);
      return faultsOf(truth, members).map((fault) => `${where}: ${fault}`);
    });
  }

  /** What was wrong with what members were told. */
  #toldFaults(): string[] {
    const ofMembers = this.#members.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`));
    const ofRooms = this.#rooms.flatMap((roomName) => {
      const ledger = this.#ledgers.get(roomName)!;
      return this.#members.flatMap((member) =>
        member.viewsOf(roomName).flatMap(({ faults, leaves }) => {
          const untrue = [...leaves].filter(([key, times]) => !this.#isUnsure && times > ledger.gapsOf(key));
          const sentences = untrue.map(
            ([key, times]) => `${key} leaves ${times} times, and was gone ${ledger.gapsOf(key)} times`,
          );
          return [...faults, ...sentences].map((fault) => `${member.name} in ${roomName}: ${fault}`);
        }),
      );
    });
    return [...ofMembers, ...ofRooms];
  }

  async #readAgreement(): Promise<string[]> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const faults = [...(await this.#readFaults()), ...(await this.#askFaults())];
      if (faults.length === 0 || performance.now() > deadline) return faults;
      await this.#wait(LOOK);
    }
  }

  /** Members read the list in pages: with the numbers of clients, and all alike. */
  async #readFaults(): Promise<string[]> {
    const lists = this.#watchers().map(async ({ member, roomName, truth }) => {
      const list = await member.read(roomName, 1 + this.#random.below(3));
      const where = `the pages of ${member.name} in ${roomName}`;
      if (typeof list === 'string') return { roomName, text: '', faults: [`${where}: ${list}`] };
      const faults = faultsOf(truth, list.members).map((fault) => `${where}: ${fault}`);
      if (list.count !== truth.length) faults.push(`${where} count ${list.count} of ${truth.length}`);
      const late = list.members.find(({ joinedAt }) => this.#isImpossible(Date.parse(joinedAt)));
      if (late) faults.push(`${where}: somebody has joined at ${late.joinedAt}`);
      return { roomName, text: textOf(list.members), faults };
    });
    const read = await Promise.all(lists);
    const unlike = this.#rooms.filter((name) => {
      const texts = read.filter(({ roomName }) => roomName === name).map(({ text }) => text);
      return new Set(texts).size > 1;
    });
    const details = read.filter(({ roomName }) => unlike.includes(roomName)).map(({ text }) => text);
    return [
      ...read.flatMap(({ faults }) => faults),
      ...unlike.map((name) => `members of ${name} read different lists: ${details.join(' | ')}`),
    ];
  }

  /** What the application of each worker is told. */
  async #askFaults(): Promise<string[]> {
    const users = [...new Set(this.#members.map(({ userId }) => userId))].filter((userId) => userId !== undefined);
    const asked = this.fleet.nodes.map(async ({ worker }) => {
      const answer = await worker.run(
        async ({ service }, { rooms, users }) => ({
          lists: await Promise.all(rooms.map((roomName) => service.getMembers(roomName))),
          counts: await Promise.all(rooms.map((roomName) => service.countMembers(roomName))),
          online: await Promise.all(users.map((userId) => service.isUserOnline(userId))),
        }),
        { rooms: this.#rooms, users },
      );
      const faults = this.#rooms.flatMap((roomName, at) => {
        const truth = truthOf(roomName, this.#members);
        const [list, count] = [answer.lists[at]!, answer.counts[at]!];
        const numbers = [list.count, count.count, list.members.length].some((number) => number !== truth.length);
        return [
          ...faultsOf(truth, list.members),
          ...(numbers ? [`${roomName} has ${count.count} members, not ${truth.length}`] : []),
          ...(list.partial || count.partial ? [`what is known of ${roomName} is partial`] : []),
        ];
      });
      const isHere = (userId: string): boolean => this.#members.some((one) => one.userId === userId && one.isWelcome);
      const untrue = users.filter((userId, at) => answer.online[at]!.online !== isHere(userId));
      return [...faults, ...untrue.map((userId) => `${userId} is online: ${!isHere(userId)}`)].map(
        (fault) => `by worker ${worker.workerId}: ${fault}`,
      );
    });
    return (await Promise.all(asked)).flat();
  }

  /** The clock of Redis is the machine's. */
  #isImpossible(time: number): boolean {
    return time < this.#begunAt - 1_000 || time > Date.now() + 1_000;
  }

  #watchers(): { member: StoryMember; roomName: string; truth: Truth[] }[] {
    return this.#rooms.flatMap((roomName) => {
      const truth = truthOf(roomName, this.#members);
      const watching = this.#members.filter(
        ({ stays, memberIds }) => memberIds.has(roomName) && stays.get(roomName)?.watches,
      );
      return watching.map((member) => ({ member, roomName, truth }));
    });
  }

  #pushCount(): number {
    const views = this.#members.flatMap((member) => this.#rooms.map((roomName) => member.viewOf(roomName)));
    return views.reduce((sum, { pushes }) => sum + pushes, 0);
  }

  #anyNode(): ClusterNode {
    return this.#random.pick(this.fleet.nodes);
  }

  #follow(work: Promise<unknown>): void {
    this.#work.push(work);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
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
    this.#diary.push(`${Math.round(performance.now() - this.#begin)} ${line}`);
  }
}
