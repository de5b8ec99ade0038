import type { Type } from '@nestjs/common';
import type { Broadcaster } from '../cluster/bus/broadcaster.interface.js';
import { isClass } from './class-checks.js';
import { isGroup, OptionChecks } from './option-checks.js';
import { resolveSecrets, type ResolvedSecrets } from './secret.options.js';

/** The `cluster` options with every default in place. */
export interface ResolvedCluster {
  readonly mirror: boolean;
  readonly shareUser: readonly string[];
  readonly acceptBeforeReady: boolean;
  readonly joinWhenDegraded: boolean;
  readonly lease: number;
  readonly probe: number;
  readonly secrets: ResolvedSecrets;
  readonly ignis: boolean;
}

/** @param options the options that the group is one of */
export function resolveCluster(cluster: OptionChecks, options: OptionChecks): ResolvedCluster {
  return {
    mirror: cluster.boolean('mirror', true),
    shareUser: Object.freeze([...cluster.texts('shareUser')]),
    acceptBeforeReady: cluster.boolean('acceptBeforeReady', false),
    joinWhenDegraded: cluster.boolean('joinWhenDegraded', false),
    lease: cluster.time('lease', 10_000, 100),
    probe: cluster.time('probe', 3_000, 50),
    secrets: resolveSecrets(cluster),
    ignis: resolveIgnis(cluster, options),
  };
}

/** The option `ignis` of the group `cluster`: whether the channels of Ignis are heard and spoken too. */
export function resolveIgnis(cluster: OptionChecks, options: OptionChecks): boolean {
  const ignis = cluster.boolean('ignis', false);
  if (!ignis) return false;
  if (options.raw('redis') === undefined) cluster.refuse('ignis', 'false, except where there is a redis');
  if (cluster.raw('secret') !== undefined) {
    const reason =
      'the channels of Ignis are not signed, so that whoever can publish to Redis could speak to all clients';
    cluster.refuse('ignis', `false where there is a cluster.secret, since ${reason}`);
  }
  if (options.raw('prefix') === 'ws') {
    options.refuse(
      'prefix',
      'another one where cluster.ignis is true, since the channels of Ignis begin with it',
      "'ws'",
    );
  }
  return true;
}

/**
 * What channels and keys begin with. A colon would let two prefixes meet: the channel for everybody of `a:room` is that of
 * the room `broadcast` of `a`. All others would do for Redis; these also stay legible in a monitor.
 */
export function resolvePrefix(options: OptionChecks): string {
  const prefix = options.raw('prefix') ?? 'pxl';
  if (typeof prefix !== 'string' || !/^[^\s:{}\p{Cc}]{1,64}$/u.test(prefix)) {
    options.refuse('prefix', 'a text of 1 to 64 characters without spaces, colons and braces');
  }
  return prefix;
}

export function resolveBroadcaster(options: OptionChecks): Type<Broadcaster> | undefined {
  const broadcaster = options.raw('broadcaster');
  if (broadcaster === undefined) return undefined;
  if (!isClass(broadcaster)) options.refuse('broadcaster', 'a class that implements Broadcaster');
  if (options.raw('redis') !== undefined) {
    options.refuse('broadcaster', 'left out where there is a redis, which brings its own', 'given beside it');
  }
  const cluster = options.raw('cluster');
  if (isGroup(cluster) && cluster.secret !== undefined) {
    options.group('cluster').refuse('secret', 'left out where there is a broadcaster, which signs by itself', 'given');
  }
  return broadcaster as Type<Broadcaster>;
}
