import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ClusterNode } from 'ioredis';
import type { WsRedisOption } from '../../lib/options/redis.options.js';
import { isSoak } from '../support/cluster-periods.js';
import { createCertificate } from '../support/certificate.js';
import { freePort } from '../support/free-port.js';
import { keySlotOf } from '../../lib/redis/topology/key-slot.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { TestLink } from '../support/redis-link.js';
import { RedisSentinel } from '../support/redis-sentinel.js';
import { RedisServer } from '../support/redis-server.js';
import { timeOf } from '../../lib/testing/stall-watch.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.js';

const PATIENCE = 60_000;
const ROOM = 'pxl:room:chess';

/** The links of one test, so that several may run side by side. */
class Links {
  readonly #all: TestLink[] = [];

  /** A link that need not get ready. */
  start(redis: WsRedisOption): TestLink {
    const link = new TestLink({ redis, name: `link-${this.#all.length}` });
    this.#all.push(link);
    return link;
  }

  /** Two links that hear the same channel. */
  async connect(redis: WsRedisOption): Promise<[TestLink, TestLink]> {
    const [one, two] = [this.start(redis), this.start(redis)];
    await Promise.all([one.ready(), two.ready()]);
    await Promise.all([one, two].map(async ({ link }) => link.subscriptions.acquire(ROOM)));
    return [one, two];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.splice(0).map(({ link }) => link.stop()));
  }
}

/** What a test does with links of its own. */
function linked<Data extends unknown[]>(
  test: (links: Links, ...data: Data) => Promise<void>,
): (...data: Data) => Promise<void> {
  return async (...data) => {
    const links = new Links();
    try {
      await test(links, ...data);
    } finally {
      await links.stop();
    }
  };
}

/** Publishes by one link until the other hears it: what is published before a fault was noticed is lost. */
async function reaches(from: TestLink, to: TestLink): Promise<void> {
  const before = to.heard.length;
  const isHeard = (): boolean => to.heard.length > before;
  const deadline = performance.now() + 20_000;
  while (!isHeard() && performance.now() < deadline) {
    await from.link.publish(ROOM, 'hello').catch(() => {});
    await from.link.run((redis) => redis.ping()).catch(() => new Promise((resolve) => setImmediate(resolve)));
  }
  await until('the message is heard', isHeard);
}

/** Writes down what comes first on a connection, and ends it: the beginning of TLS names the server in clear text. */
class FirstWords {
  readonly heard: string[] = [];
  readonly #server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      this.heard.push(bytes.toString('latin1'));
      socket.destroy();
    });
  });

  static async listen(): Promise<FirstWords> {
    const words = new FirstWords();
    words.#server.listen(0);
    await once(words.#server, 'listening');
    return words;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A Redis that speaks TLS at one port, and plainly at another. */
class TlsServer {
  private constructor(
    readonly plain: RedisServer,
    readonly port: number,
    readonly ca: string,
    private readonly folder: string,
  ) {}

  static async start(): Promise<TlsServer> {
    const { key, cert } = createCertificate();
    const folder = await mkdtemp(join(tmpdir(), 'pxl-tls-'));
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    await Promise.all([writeFile(keyFile, key), writeFile(certFile, cert)]);
    const port = await freePort();
    const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile];
    const plain = await RedisServer.start('--tls-port', String(port), '--tls-auth-clients', 'no', ...files);
    return new TlsServer(plain, port, cert, folder);
  }

  async stop(): Promise<void> {
    await this.plain.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

let tls: TlsServer;
/** Being started while the tests begin that do not need it. */
let clusterStarts: Promise<RedisCluster>;

beforeAll(async () => {
  clusterStarts = RedisCluster.start();
  tls = await TlsServer.start();
});

afterAll(async () => {
  await Promise.all([tls.stop(), (await clusterStarts).stop()]);
}, PATIENCE);

// Those that mostly wait do so side by side.
it.concurrent(
  'A Redis behind Sentinel is found, and so is the next one when it is gone',
  linked(async (links) => {
    const sentinel = await RedisSentinel.start();
    const [one, two] = await links.connect({ sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: 'main' });
    await reaches(one, two);
    await sentinel.master.kill();
    await until(() => !one.link.isReady && !two.link.isReady);
    await reaches(one, two);
    await links.stop();
    await sentinel.stop();
  }),
  PATIENCE,
);

it.concurrent(
  'A Redis Cluster settles publishes in time while nothing arrives, and delivers none of them later',
  linked(async (links) => {
    const cluster = await clusterStarts;
    const proxies = await Promise.all(cluster.nodes.map(({ port }) => TcpProxy.before(port)));
    const natMap = Object.fromEntries(
      proxies.map(({ port }, at) => [`127.0.0.1:${cluster.nodes[at]!.port}`, { host: '127.0.0.1', port }]),
    );
    const startupNodes = proxies.map(({ port }) => ({ host: '127.0.0.1', port }));
    const [one] = await links.connect({ cluster: startupNodes, options: { natMap } });
    const [witness] = await links.connect({ cluster: cluster.startupNodes });
    for (const proxy of proxies) proxy.blackHole();
    const rejected = (at: number): Promise<void> =>
      expect(one.link.publish(ROOM, `rejected ${at}`)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await timeOf(() => Promise.all(Array.from({ length: 10 }, (_, at) => rejected(at))))).toBeLessThan(2_400);
    await expect(one.link.publish(ROOM, 'rejected')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await until('the connections are reset', () => proxies.reduce((sum, { size }) => sum + size, 0) <= 4);
    for (const proxy of proxies) proxy.heal();
    await reaches(one, witness);
    expect(new Set(witness.heard)).toEqual(new Set([`${ROOM} hello`]));
    await links.stop();
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }),
  PATIENCE,
);

it.concurrent(
  'A Redis at a Unix socket is reached, and again after it was killed',
  linked(async (links) => {
    const folder = await mkdtemp(join(tmpdir(), 'pxl-socket-'));
    const path = join(folder, 'redis.sock');
    const server = await RedisServer.start('--unixsocket', path);
    const [one, two] = await links.connect(path);
    await reaches(one, two);
    await server.kill();
    await until(() => !one.link.isReady && !two.link.isReady);
    await server.run();
    await reaches(one, two);
    server.freeze();
    await expect(one.link.publish(ROOM, 'late')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    server.thaw();
    await reaches(one, two);
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }),
  PATIENCE,
);

it.concurrent(
  'A Redis that speaks TLS is reached with the options of TLS that were given, and again after it was killed',
  linked(async (links) => {
    const own = await TlsServer.start();
    const [one, two] = await links.connect({ host: 'localhost', port: own.port, tls: { ca: own.ca } });
    await reaches(one, two);
    await own.plain.kill();
    await until(() => !one.link.isReady && !two.link.isReady);
    await own.plain.run();
    await reaches(one, two);
    await own.stop();
  }),
  PATIENCE,
);

it.concurrent(
  'A Redis that speaks TLS is asked for in a clear sentence, within two seconds, where the port has none',
  linked(async (links) => {
    const link = links.start(`rediss://localhost:${tls.plain.port}`);
    expect(await timeOf(() => until(() => link.lines.length > 0))).toBeLessThan(2 * 2_000);
    expect(link.lines[0]).toMatch(/There was no TLS connection .*redis:\/\/ instead of rediss:/);
  }),
);

it.concurrent(
  'A Redis that speaks TLS settles publishes in time while nothing arrives',
  linked(async (links) => {
    const proxy = await TcpProxy.before(tls.port);
    const [one, two] = await links.connect({ host: 'localhost', port: proxy.port, tls: { ca: tls.ca } });
    proxy.blackHole();
    const rejected = (): Promise<void> =>
      expect(one.link.publish(ROOM, 'late')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await timeOf(rejected)).toBeLessThan(2_400);
    await until(() => !two.link.isReady);
    proxy.heal();
    await reaches(one, two);
    await proxy.close();
  }),
  PATIENCE,
);

describe('A Redis that speaks TLS', () => {
  it(
    'is not talked to when its certificate is not trusted',
    linked(async (links) => {
      const link = links.start(`rediss://localhost:${tls.port}`);
      await until(() => link.lines.length > 0);
      expect(link.lines).toEqual(['warn Redis cannot be reached: self-signed certificate']);
    }),
  );

  it.each<[what: string, redis: (port: number) => WsRedisOption, expected: string | false]>([
    ['a url with a name', (port) => `rediss://localhost:${port}`, 'localhost'],
    ['a url with an address', (port) => `rediss://127.0.0.1:${port}`, false],
    ['options with a name', (port) => ({ host: 'localhost', port, tls: {} }), 'localhost'],
    ['a name that was given', (port) => ({ port, tls: { servername: 'given' } }), 'given'],
    [
      'the nodes of a cluster',
      (port) => ({
        cluster: [{ host: 'localhost', port }],
        options: { redisOptions: { tls: {} }, dnsLookup: (address, found) => found(null, address) },
      }),
      'localhost',
    ],
  ])(
    'is told the name that it was reached by: %s',
    linked(async (links, _what: string, redis: (port: number) => WsRedisOption, expected: string | false) => {
      const listener = await FirstWords.listen();
      links.start(redis(listener.port));
      await until(() => listener.heard.length > 0);
      const [hello] = listener.heard;
      expect(['localhost', 'given'].find((name) => hello?.includes(name)) ?? false).toBe(expected);
      await links.stop();
      await listener.stop();
    }),
  );

  it(
    'is named as the likely reason where it is not spoken',
    linked(async (links) => {
      const link = links.start(`redis://localhost:${tls.port}`);
      await until(() => link.lines.length > 0);
      expect(link.lines[0]).toContain('Does the port speak TLS (rediss:// instead of redis://)?');
    }),
  );
});

describe('A Redis Cluster', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await clusterStarts;
  }, PATIENCE);

  it(
    'delivers to every link once, in order, whichever node it is connected to',
    linked(async (links) => {
      const startupNodes: ClusterNode[] = cluster.startupNodes;
      const all = await Promise.all([
        links.connect({ cluster: startupNodes }),
        links.connect({ cluster: startupNodes }),
      ]);
      const [one] = all[0];
      const sent = Array.from({ length: 500 }, (_, at) => String(at));
      for (const payload of sent) void one.link.publish(ROOM, payload);
      await until(() => all.flat().every(({ heard }) => heard.length >= sent.length));
      for (const { heard } of all.flat()) expect(heard).toEqual(sent.map((payload) => `${ROOM} ${payload}`));
    }),
  );

  it(
    'runs commands on the node that has the key',
    linked(async (links) => {
      const [{ link }] = await links.connect({ cluster: cluster.startupNodes });
      const keys = Array.from({ length: 20 }, (_, at) => `pxl:${at}`);
      await Promise.all(keys.map((key) => link.run((redis) => redis.set(key, key))));
      const kept = await Promise.all(keys.map((key) => link.run((redis) => redis.get(key))));
      expect(kept).toEqual(keys);
    }),
  );

  it(
    'waits for a slot that is moving, and fails no command of another slot for one that has moved',
    linked(async (links) => {
      const [{ link }] = await links.connect({ cluster: cluster.startupNodes });
      const names = Array.from({ length: 20 }, (_, at) => `pxl:{${at}}`);
      const slots = names.map(keySlotOf);
      const owners = await Promise.all([0, 1, 2].map((node) => cluster.slotsOf(node)));
      const here = slots.filter((slot) => owners[0]!.includes(slot));
      await link.run((redis) => redis.mset(`${names[0]}a`, '1', `${names[0]}b`, '1'));
      const from = owners.findIndex((all) => all.includes(slots[0]!));
      const goOn = await cluster.halfMove([slots[0]!], from, (from + 1) % 3);
      const gone = cluster.nodes[from]!.command(
        'MIGRATE',
        '127.0.0.1',
        cluster.nodes[(from + 1) % 3]!.port,
        `${names[0]}a`,
        0,
        1_000,
      );
      await gone;
      // Its keys are at two nodes: TRYAGAIN.
      const both = link.run((redis) => redis.mget(`${names[0]}a`, `${names[0]}b`));
      await goOn();
      expect(await both).toEqual(['1', '1']);

      await cluster.reshard(here.slice(0, 1), 0, 1);
      await Promise.all(names.map((name) => link.run((redis) => redis.set(name, name))));
      const kept = await Promise.all(names.map((name) => link.run((redis) => redis.get(name))));
      expect(kept).toEqual(names);
    }),
  );

  it(
    'goes on without a node, and takes it again',
    linked(async (links) => {
      const [one, two] = await links.connect({ cluster: cluster.startupNodes });
      const listeners = await Promise.all(
        cluster.nodes.map((node) => node.command<[string, number]>('PUBSUB', 'NUMSUB', ROOM)),
      );
      const heardAt = cluster.nodes.filter((_, at) => listeners[at]![1] > 0);
      for (const node of isSoak ? cluster.nodes : heardAt.slice(0, 1)) {
        await node.kill();
        await reaches(one, two);
        await reaches(two, one);
        await node.run();
        await cluster.whole();
        await reaches(one, two);
      }
    }),
    PATIENCE,
  );
});
