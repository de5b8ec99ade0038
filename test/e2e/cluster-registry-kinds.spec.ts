import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RedisUserPresence, type UserNews } from '../../lib/cluster/users/redis.user-presence.js';
import { RedisUserConnections } from '../../lib/cluster/users/redis.user-connections.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { LEASE } from '../support/cluster-periods.js';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { RegistryCluster } from '../support/registry-cluster.js';

const PATIENCE = 60_000;

let redis: RedisCluster;
let cluster: RegistryCluster;
/** What one of the workers was told of users, as `<event> <user>`. */
let told: string[];
let presences: Map<string, RedisUserPresence>;
let connections: Map<string, RedisUserConnections>;

beforeAll(async () => {
  redis = await RedisCluster.start();
}, PATIENCE);

beforeEach(() => {
  told = [];
  presences = new Map();
  connections = new Map();
  cluster = new RegistryCluster(redis.nodes[0]!, {
    redis: { cluster: redis.startupNodes },
    lease: LEASE,
    grace: PATIENCE,
    data: (link, workerId) => {
      const { prefix } = cluster;
      const tell = ({ event, userId }: UserNews): void => {
        if (workerId === 'one') told.push(`${event} ${userId}`);
      };
      const presence = new RedisUserPresence(link, tell, { prefix, workerId, lease: LEASE }, new Runtime());
      const limit = new RedisUserConnections(link, { prefix, workerId, limit: { max: 1 } }, new Runtime());
      presences.set(workerId, presence);
      connections.set(workerId, limit);
      return [presence.data, limit];
    },
  });
});

afterEach(async () => {
  expect(await cluster.end()).toEqual([]);
});

afterAll(() => redis.stop());

describe('On a Redis Cluster', () => {
  it(
    'every worker sees every change, and a late joiner all of it',
    async () => {
      const [one, two] = await cluster.start(['one', 'two']);
      for (let n = 0; n < 500; n++) one.join(one.connect(), `room ${n % 7}`);
      await two.learns(one);
      const [late] = await cluster.start(['late']);
      expect(late.knows(one)).toBe(true);
      for (const clientId of [...one.clients.keys()].slice(0, 250)) one.disconnect(clientId);
      await Promise.all([two.learns(one), late.learns(one)]);
    },
    PATIENCE,
  );

  it(
    'a killed worker’s clients and users are gone once, and nothing of it is left',
    async () => {
      const [one, victim] = await cluster.start(['one', 'victim']);
      const presence = presences.get('one')!;
      one.hear = (channel, payload): void => {
        if (channel === presence.channel) presence.receive(payload);
      };
      const userIds = Array.from({ length: 100 }, (_, n) => `user ${n}`);
      for (const userId of userIds) {
        victim.join(victim.connect({ userId, payload: {} }), 'chess');
        presences.get('victim')!.opened(userId);
      }
      await connections.get('victim')!.enter('ada', 'victim.1');
      expect(await connections.get('one')!.enter('ada', 'one.1')).toMatchObject({ admitted: false });
      await one.learns(victim);
      await eventually('all have come', () => told.length === 100);
      await victim.kill();
      await eventually('all are gone', () => one.view.size === 0 && told.length === 200, PATIENCE);
      expect(one.told).toHaveLength(400);
      expect(new Set(told.slice(100))).toEqual(new Set(userIds.map((userId) => `userDisconnected ${userId}`)));
      await eventually('its connections are not counted', async () => {
        return (await connections.get('one')!.enter('ada', 'one.1')).admitted;
      });
      for (const node of redis.nodes) {
        expect(await node.command('KEYS', `${cluster.prefix}:{victim.*`)).toEqual([]);
      }
      const late = cluster.begin('late');
      await late.started();
      expect(late.absents.size).toBe(100);
    },
    PATIENCE,
  );
});
