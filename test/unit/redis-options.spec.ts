import { describe, expect, it } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { OptionChecks } from '../../lib/options/checks/option-checks.js';
import { resolveRedis, type ResolvedRedis } from '../../lib/options/redis.options.js';
import { clusterSettings, connectionSettings } from '../../lib/redis/link/redis-settings.js';

/** The option as a JavaScript user may give it. */
function resolve(redis: unknown): ResolvedRedis | undefined {
  return resolveRedis(new OptionChecks('', { redis }));
}

function single(redis: unknown): Redis {
  return resolve(redis)!.template as Redis;
}

const ALLOWED =
  "The option redis is a url like 'redis://localhost:6379', options of ioredis, { cluster: [...] }, or a Redis or Cluster of ioredis, not";

describe('The option redis', () => {
  it('is absent where there is one process', () => {
    expect(resolve(undefined)).toBeUndefined();
  });

  it('is a url, with TLS, a user, a password and a database', () => {
    expect(single('redis://10.0.0.7:7000/3').options).toMatchObject({ host: '10.0.0.7', port: 7000, db: 3 });
    const secured = single('rediss://ada:s3cret@redis.example.com').options;
    expect(secured).toMatchObject({ host: 'redis.example.com', username: 'ada', password: 's3cret' });
    expect(secured.tls).toEqual({ servername: 'redis.example.com' });
    expect(single('/run/redis.sock').options).toMatchObject({ path: '/run/redis.sock' });
  });

  it('is what ioredis takes, Sentinel included', () => {
    expect(single({ host: 'redis', port: 7000, tls: { ca: 'x' } }).options).toMatchObject({
      port: 7000,
      tls: { ca: 'x' },
    });
    const sentinels = [{ host: 'one', port: 26_379 }];
    expect(single({ sentinels, name: 'main' }).options).toMatchObject({ sentinels, name: 'main' });
  });

  it('watches the Sentinels for a failover, unless it is told not to', () => {
    const given = { sentinels: [{ host: 'one', port: 26_379 }], name: 'main' };
    const watches = (redis: unknown): unknown => single(redis).options.failoverDetector;
    expect([watches(given), watches({ ...given, failoverDetector: undefined })]).toEqual([true, true]);
    expect([watches({ ...given, failoverDetector: false }), watches('redis://one')]).toEqual([false, false]);
    expect(watches(new Redis({ ...given, lazyConnect: true }))).toBe(false);
  });

  it('is a cluster by its nodes, and says whether rooms are sharded', () => {
    const nodes = [{ host: 'one', port: 7000 }];
    const plain = resolve({ cluster: nodes, options: { scaleReads: 'slave' } })!;
    expect(plain).toMatchObject({ isSharded: false, template: { isCluster: true } });
    expect((plain.template as Cluster).options.scaleReads).toBe('slave');
    expect(resolve({ cluster: nodes, sharded: true })?.isSharded).toBe(true);
  });

  it('is an instance, of another copy of ioredis too', () => {
    const redis = new Redis({ lazyConnect: true });
    const cluster = new Cluster([{ host: 'one', port: 7000 }], { lazyConnect: true });
    expect(resolve(redis)).toEqual({ template: redis, isGiven: true, isSharded: false });
    expect(resolve(cluster)?.template).toBe(cluster);
    expect(resolve({ cluster, sharded: true })).toMatchObject({ template: cluster, isSharded: true });
    const foreign = { duplicate: () => foreign, connect: () => Promise.resolve(), status: 'wait', isCluster: false };
    expect(resolve(foreign)?.template).toBe(foreign);
  });

  it('connects to nothing when it is read', () => {
    expect(single('redis://localhost').status).toBe('wait');
    expect(resolve({ cluster: [{ host: 'one' }] })?.template.status).toBe('wait');
  });

  it.each<[unknown, string]>([
    [7, `${ALLOWED} 7.`],
    [true, `${ALLOWED} true.`],
    [null, `${ALLOWED} null.`],
    [[], `${ALLOWED} a list.`],
    ['', `${ALLOWED} an empty text.`],
    ['localhost:6379', `${ALLOWED} a text without a scheme: write 'redis://localhost:6379'.`],
    ['localhost', `${ALLOWED} a text without a scheme: write 'redis://localhost'.`],
    ['s3cret@10.0.0.7', `${ALLOWED} a text without a scheme: write 'redis://<host>:<port>'.`],
    ['http://localhost', `${ALLOWED} a url with the scheme http: write redis:// or, with TLS, rediss://.`],
    ['redis://', `${ALLOWED} a text.`],
    ['redis://[', `${ALLOWED} what ioredis refuses (Invalid URL).`],
    [{ sentinels: [{ host: 'one' }] }, `${ALLOWED} what ioredis refuses (Requires the name of master.).`],
    [{ duplicate: () => {}, connect: () => {}, isOpen: false }, `${ALLOWED} an object.`],
    [
      { url: 'redis://localhost' },
      `${ALLOWED} an object with url, which ioredis does not read: write a url like 'redis://localhost:6379', or { host, port }.`,
    ],
    [
      { socket: { host: 'one' } },
      `${ALLOWED} an object with socket, which ioredis does not read: write a url like 'redis://localhost:6379', or { host, port }.`,
    ],
    [
      { host: 'redis://one:6379' },
      'The option redis.host is the name of a host, not a url: give the url itself as redis.',
    ],
    [
      { host: 'localhost:6379' },
      'The option redis.host is the name of a host, not one with a port: give that as port.',
    ],
    [{ port: 70_000 }, 'The option redis.port is a whole number from 1 to 65535, not 70000.'],
    [{ cluster: [] }, 'The option redis.cluster is a list of start-up nodes, or a Cluster of ioredis, not a list.'],
    [{ cluster: [{}], sharded: 'yes' }, 'The option redis.sharded is true or false, not a text.'],
    [{ cluster: [{}], options: 7 }, 'The option redis.options is an object, not 7.'],
    [
      { cluster: [{}], shards: 3 },
      'There is no option redis.shards; did you mean sharded? There are cluster, options, sharded.',
    ],
  ])('is refused in one sentence: %j', (given, message) => {
    expect(() => resolve(given)).toThrow(message);
  });
});

describe('What is forced on our connections', () => {
  const given = {
    host: 'redis.example.com',
    password: 's3cret',
    tls: { ca: 'x' },
    keyPrefix: 'app:',
    enableOfflineQueue: true,
    autoResendUnfulfilledCommands: true,
    autoResubscribe: true,
    maxRetriesPerRequest: null,
    retryStrategy: () => 1,
    commandTimeout: 60_000,
    connectTimeout: 60_000,
    socketTimeout: 5_000,
    readOnly: true,
    stringNumbers: true,
  };

  it('lets nothing wait and nothing come back', () => {
    const { options } = new Redis({ ...given, lazyConnect: true }).duplicate(connectionSettings('name'));
    expect(options).toMatchObject({
      lazyConnect: true,
      retryStrategy: null,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      commandTimeout: 1_000,
      connectTimeout: 1_800,
      keyPrefix: '',
      readOnly: false,
      stringNumbers: false,
      connectionName: 'name',
    });
    expect(options.socketTimeout).toBeUndefined();
    expect(options).toMatchObject({ host: 'redis.example.com', password: 's3cret', tls: { ca: 'x' } });
  });

  it('holds for every node of a cluster', () => {
    const template = new Cluster([{ host: 'one' }], { redisOptions: given, keyPrefix: 'app:', lazyConnect: true });
    const { options } = template.duplicate([], clusterSettings('name'));
    expect(options).toMatchObject({
      keyPrefix: '',
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      enableAutoPipelining: false,
      redisOptions: {
        password: 's3cret',
        tls: { ca: 'x' },
        keyPrefix: '',
        commandTimeout: 1_000,
        autoResendUnfulfilledCommands: false,
        connectionName: 'name',
      },
    });
    expect(options.clusterRetryStrategy?.(1)).toBeNull();
  });
});
