import { beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { BusSender } from '../../lib/cluster/bus/bus-sender.js';
import { Tracing } from '../../lib/tracing/tracing.js';
import { ClusterCalls } from '../../lib/cluster/calls/cluster-calls.js';
import type { WsEnvelope, WsReceivedEnvelope } from '../../lib/cluster/bus/envelope.js';
import { PeerCheck } from '../../lib/cluster/calls/peer-check.js';
import type { ClusterRegistry, ClusterWorker } from '../../lib/cluster/registry/cluster-registry.interface.js';
import { resolveOptions } from '../../lib/pxl-websocket.module-options.js';
import { WorkerIdentity } from '../../lib/runtime/worker-identity.js';
import { HubBroadcaster } from '../support/hub-broadcaster.js';
import { ManualRuntime } from '../support/manual-runtime.js';

/** ms */
const [LEASE, BEAT] = [10_000, 500];

/** Leases and a bus in one process, of which each can fail without the other. */
class Fleet {
  readonly clock = new ManualRuntime();
  readonly workers = new Map<string, FleetWorker>();
  /** How many messages have been delivered. */
  messages = 0;
  /** Whether what one sends reaches the other. */
  carries: (from: string, to: string) => boolean = () => true;
  /** Those that stand still: they renew no lease, and answer nothing until they go on. */
  readonly still = new Set<string>();

  /** @param lease ms */
  constructor(readonly lease = LEASE) {}

  add(name: string): FleetWorker {
    const worker = new FleetWorker(name, this);
    this.workers.set(name, worker);
    return worker;
  }

  /** Workers that hear each other, all of them started. */
  static async of(...names: string[]): Promise<Fleet> {
    const fleet = new Fleet();
    for (const name of names) fleet.add(name);
    for (const { check } of fleet.workers.values()) void check.start();
    await fleet.pass(1_000);
    return fleet;
  }

  worker(name: string): FleetWorker {
    return this.workers.get(name)!;
  }

  /** Who calls itself ready. */
  get ready(): string[] {
    return [...this.workers.values()].filter(({ check }) => check.isPassed).map(({ name }) => name);
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += BEAT) {
      for (const worker of this.workers.values()) if (!this.still.has(worker.name)) worker.renewLease();
      await this.clock.advance(Math.min(BEAT, ms - passed));
    }
  }
}

class FleetWorker extends HubBroadcaster {
  readonly calls: ClusterCalls;
  readonly check: PeerCheck;
  readonly #renewed: string[] = [];
  readonly #waiting: WsReceivedEnvelope[] = [];
  beat = 1;
  endsAt: number;

  constructor(
    readonly name: string,
    private readonly fleet: Fleet,
  ) {
    super(name, new Set());
    const { clock } = fleet;
    void this.start(() => undefined);
    const registry = new FleetRegistry(name, fleet);
    this.endsAt = clock.monotonic() + fleet.lease;
    const tracing = new Tracing({ enabled: false, userIds: false });
    const identity = Object.assign(new WorkerIdentity(clock), { workerId: name });
    this.calls = new ClusterCalls(new BusSender(this, tracing), registry, identity, clock, tracing);
    this.check = new PeerCheck(this.calls, this, registry, resolveOptions({ cluster: { lease: fleet.lease } }), clock);
    this.onChange((isReady) => this.check.busChanged(isReady));
  }

  /** Why its bus was connected anew, each time. */
  get renewed(): readonly string[] {
    return this.#renewed;
  }

  override publish({ target, ...rest }: WsEnvelope): Promise<void> {
    const names = target.kind === 'workers' ? target.workerIds : [];
    for (const to of names) {
      const other = this.fleet.workers.get(to);
      if (other && this.fleet.carries(this.name, to)) other.deliver({ ...rest, target, origin: this.name });
    }
    return Promise.resolve();
  }

  deliver(envelope: WsReceivedEnvelope): void {
    this.fleet.messages++;
    if (this.fleet.still.has(this.name)) this.#waiting.push(envelope);
    else this.#receive(envelope);
  }

  goOn(): void {
    this.fleet.still.delete(this.name);
    for (const envelope of this.#waiting.splice(0)) this.#receive(envelope);
  }

  #receive(envelope: WsReceivedEnvelope): void {
    if (envelope.content.kind === 'answer') this.check.answered(envelope.origin!);
    this.calls.receive(envelope, ({ name }) => name);
  }

  renewLease(): void {
    this.beat++;
    this.endsAt = this.fleet.clock.monotonic() + this.fleet.lease;
  }

  renew({ message }: Error): void {
    this.#renewed.push(message);
    this.cut();
  }

  /** The bus is lost for a moment. */
  cut(): void {
    this.cutOff()();
  }
}

class FleetRegistry implements ClusterRegistry {
  readonly isReady = true;
  readonly isShared = true;
  readonly mayHaveOthers = true;

  constructor(
    private readonly self: string,
    private readonly fleet: Fleet,
  ) {}

  start(): Promise<void> {
    return Promise.resolve();
  }

  record(): void {}

  describe(): void {}

  keepAbsent(): void {}

  forgetAbsent(): void {}

  whenTold(): Promise<void> {
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  get workers(): ReadonlyMap<string, ClusterWorker> {
    const now = this.fleet.clock.monotonic();
    const others = [...this.fleet.workers.values()].filter(({ name }) => name !== this.self);
    return new Map(
      others.map(({ name, beat, endsAt }) => [name, { workerId: name, connections: 0, beat, isExpired: endsAt < now }]),
    );
  }
}

beforeAll(() => void Logger.overrideLogger(false));

describe('A worker that starts', () => {
  it('is ready at once when all others answer, or when there are none', async () => {
    const fleet = await Fleet.of('a', 'b', 'c');
    expect(fleet.ready).toEqual(['a', 'b', 'c']);
    const alone = new Fleet();
    await alone.add('a').check.start();
    expect(alone.ready).toEqual(['a']);
  });

  it('waits for one that does not answer until its lease ends', async () => {
    const fleet = await Fleet.of('a', 'b');
    fleet.still.add('a');
    await fleet.pass(1_000);
    const { check } = fleet.add('c');
    void check.start();
    await fleet.pass(8_000);
    expect([check.isPassed, check.silent]).toEqual([false, ['a']]);
    await fleet.pass(2_000);
    expect(check.isPassed).toBe(true);
    expect(fleet.worker('c').renewed).toEqual([]);
  });

  it('is ready as soon as the silent one answers, late as that may be', async () => {
    const fleet = await Fleet.of('a');
    fleet.still.add('a');
    const { check } = fleet.add('b');
    void check.start();
    await fleet.pass(5_000);
    expect(check.isPassed).toBe(false);
    fleet.worker('a').goOn();
    await fleet.pass(0);
    await fleet.clock.advance(0);
    expect(check.isPassed).toBe(true);
  });

  it('is not ready while it hears none of those that live, and connects anew', async () => {
    const fleet = await Fleet.of('a', 'b');
    fleet.carries = (from, to) => (from === 'c') === (to === 'c');
    const { check, renewed } = fleet.add('c');
    void check.start();
    await fleet.pass(60_000);
    expect(fleet.ready).toEqual(['a', 'b']);
    expect(renewed.length).toBeGreaterThan(1);
    // Each costs what is on its way: later and later.
    expect(renewed.length).toBeLessThan(8);
    fleet.carries = () => true;
    await fleet.pass(4_000);
    expect(check.isPassed).toBe(true);
  });

  it.each([
    [['a'], ['x']],
    [
      ['a', 'b'],
      ['x', 'y', 'z'],
    ],
  ])('takes nobody out of service that it has never been heard by: %j, and then %j', async (before, newcomers) => {
    const fleet = await Fleet.of(...before);
    // As where those that come have another secret.
    fleet.carries = (from, to) => newcomers.includes(from) === newcomers.includes(to);
    for (const name of newcomers) void fleet.add(name).check.start();
    await fleet.pass(60_000);
    expect(fleet.ready).toEqual(expect.arrayContaining(before));
    expect(before.flatMap((name) => fleet.worker(name).renewed)).toEqual([]);
  });

  it('does not wait for ever for one of many that hears nobody', async () => {
    const fleet = await Fleet.of('a', 'b', 'deaf');
    fleet.carries = (_, to) => to !== 'deaf';
    const { check, renewed } = fleet.add('c');
    void check.start();
    await fleet.pass(LEASE - 1_000);
    expect(check.isPassed).toBe(false);
    await fleet.pass(2_000);
    expect(fleet.ready).toEqual(['a', 'b', 'c']);
    expect(renewed).toEqual([]);
  });
});

describe('A worker in a running cluster', () => {
  it('costs a few messages each, however many there are', async () => {
    const fleet = await Fleet.of(...Array.from({ length: 50 }, (_, at) => `w${at}`));
    fleet.messages = 0;
    await fleet.pass(60_000);
    // Three questions and their answers, every four seconds.
    expect(fleet.messages / 60 / 50).toBeLessThan(2);
    expect(fleet.ready).toHaveLength(50);
  });

  it.each<[what: string, carries: Fleet['carries']]>([
    ['is heard by nobody', (from) => from !== 'c'],
    ['hears nobody', (_, to) => to !== 'c'],
  ])('that %s is not ready, connects anew, and leaves the others in service', async (_, carries) => {
    const fleet = await Fleet.of('a', 'b', 'c', 'd');
    fleet.carries = carries;
    await fleet.pass(12_000);
    expect(fleet.ready).toEqual(['a', 'b', 'd']);
    expect([...fleet.workers.values()].filter(({ renewed }) => renewed.length > 0).map(({ name }) => name)).toEqual([
      'c',
    ]);
    fleet.carries = () => true;
    await fleet.pass(4_000);
    expect(fleet.ready).toEqual(['a', 'b', 'c', 'd']);
  });

  it('does not blame itself for others that stand still', async () => {
    const fleet = await Fleet.of('a', 'b', 'c');
    fleet.still.add('b').add('c');
    await fleet.pass(9_000);
    expect(fleet.ready).toContain('a');
    fleet.worker('b').goOn();
    fleet.worker('c').goOn();
    await fleet.pass(1_000);
    expect(fleet.ready).toEqual(['a', 'b', 'c']);
    expect([...fleet.workers.values()].flatMap(({ renewed }) => renewed)).toEqual([]);
  });

  it('does not blame itself when it stood still', async () => {
    const fleet = await Fleet.of('a', 'b');
    // Leases are known to be renewed, and the answers have not been read yet.
    fleet.worker('b').beat += 100;
    fleet.still.add('b');
    fleet.worker('a').cut();
    await fleet.clock.advance(100);
    fleet.worker('b').beat += 100;
    await fleet.clock.stall(5_000);
    fleet.worker('b').goOn();
    await fleet.pass(2_000);
    expect(fleet.ready).toEqual(['a', 'b']);
    expect(fleet.worker('a').renewed).toEqual([]);
  });

  it('that had lost its bus is ready once all have answered, and waits 3 s for one that does not', async () => {
    const fleet = await Fleet.of('a', 'b', 'c');
    fleet.worker('a').cut();
    expect(fleet.ready).toEqual(['b', 'c']);
    await fleet.clock.advance(10);
    expect(fleet.ready).toEqual(['a', 'b', 'c']);
    fleet.still.add('b');
    fleet.worker('a').cut();
    await fleet.pass(2_000);
    expect(fleet.worker('a').check.silent).toEqual(['b']);
    expect(fleet.worker('a').check.isPassed).toBe(false);
    await fleet.pass(2_000);
    expect(fleet.worker('a').check.isPassed).toBe(true);
  });

  it('notices that it is cut off where leases are long, and renewed as seldom', async () => {
    const fleet = new Fleet(120_000);
    for (const name of ['a', 'b', 'c']) void fleet.add(name).check.start();
    await fleet.pass(1_000);
    fleet.carries = (from) => from !== 'c';
    // A lease of two minutes is renewed each six seconds.
    for (let beats = 0; beats < 20; beats++) {
      for (const worker of fleet.workers.values()) worker.renewLease();
      await fleet.clock.advance(6_000);
    }
    expect(fleet.worker('c').renewed).not.toEqual([]);
  });

  it('asks nobody after it has left', async () => {
    const fleet = await Fleet.of('a', 'b');
    for (const { check } of fleet.workers.values()) check.stop();
    fleet.messages = 0;
    fleet.worker('a').cut();
    await fleet.pass(20_000);
    expect(fleet.messages).toBe(0);
  });

  it('asks nobody after it has left, though an answer comes late', async () => {
    const fleet = await Fleet.of('a', 'b');
    fleet.still.add('b');
    fleet.worker('a').cut();
    for (const { check } of fleet.workers.values()) check.stop();
    fleet.worker('b').goOn();
    await fleet.clock.advance(0);
    fleet.messages = 0;
    await fleet.pass(20_000);
    expect(fleet.messages).toBe(0);
  });
});
