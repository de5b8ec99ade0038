import type { OptionChecks } from './checks/option-checks.js';

/**
 * A text of at least 32 characters that all workers and emitters share. While it is changed there are two: the first one signs,
 * both are accepted; `false` stands for no signature while signing is switched on.
 */
export type WsSecretOption = string | (string | false)[];

export interface WsClusterOptions {
  /**
   * True: every worker knows every client of the cluster, which costs memory on each and a message for each change.
   * False: `getClients()`, `rooms` and similar know this worker's clients only; `fetchClients()` asks the other workers.
   * Default: true.
   */
  mirror?: boolean | undefined;
  /** The claims of users (`user.payload`) that other workers see. Default: `[]`. */
  shareUser?: readonly string[] | undefined;
  /** True: connections are taken at start before Redis can be reached, instead of refused with 503. Default: false. */
  acceptBeforeReady?: boolean | undefined;
  /**
   * True: while Redis is down clients may join rooms that this worker has not subscribed to yet; messages of other workers reach
   * them once Redis is back. Default: false, such a join is refused with UNAVAILABLE.
   */
  joinWhenDegraded?: boolean | undefined;
  /** Milliseconds without a sign of life after which a worker counts as dead. Default: 10 000. */
  lease?: number | undefined;
  /** Milliseconds between two checks of the connection to Redis. Default: 3 000. */
  probe?: number | undefined;
  /**
   * Milliseconds for which the end of a user's last session is kept, for `lastSeen(userId)`: at least 1 000, at most ten years.
   * With `redis` it is kept there, else by each worker for itself, of the last 100 000 users. Default: false, it is not.
   */
  lastSeen?: number | false | undefined;
  /**
   * A text of at least 32 characters that all workers and emitters share. It signs what they publish through Redis
   * (HMAC-SHA256), with the time and a number; messages that are unsigned, too old or repeated are dropped and counted.
   * Somebody who can publish to Redis then still cannot speak for a worker. The data in Redis' hashes is not covered. While
   * the secret is changed it is a list of two: the first one signs, both are accepted; `false` stands for no signature
   * while signing is switched on. Default: none, nothing is signed.
   */
  secret?: WsSecretOption | undefined;
  /**
   * True, for the time of a move: workers also hear, and speak on, the channels by which the servers and emitters of Ignis
   * tell each other of messages (`ws:broadcast`, `ws:room:…`, `ws:client:…`, `ws:user:…`), so that clients of both fleets
   * are reached by sends of both. Each send costs one more PUBLISH for each room, user and client of Ignis that it names, and
   * each worker reads every message of the old fleet. Needs `redis`; goes neither with `secret` nor with the prefix `'ws'`.
   * Default: false.
   */
  ignis?: boolean | undefined;
}

/** Undefined: nothing is signed. Else the first one signs, and each of them is accepted; false means no signature. */
export type ResolvedSecrets = readonly [string | false, ...(string | false)[]] | undefined;

/** The `cluster` options with every default filled in. */
export interface ResolvedCluster {
  readonly mirror: boolean;
  readonly shareUser: readonly string[];
  readonly acceptBeforeReady: boolean;
  readonly joinWhenDegraded: boolean;
  readonly lease: number;
  readonly probe: number;
  /** False: it is not kept. */
  readonly lastSeen: number | false;
  readonly secrets: ResolvedSecrets;
  readonly ignis: boolean;
}

/** Milliseconds. */
const SECOND = 1_000;
const TEN_YEARS = 315_360_000_000;
/** The shortest secret, in characters: a shorter one can be guessed from recorded signatures. */
const SHORTEST = 32;
const ALLOWED_SECRET = `a text of at least ${SHORTEST} characters, or a list of two of them, of which one may be false`;

/** @param options the options that the group is one of */
export function resolveCluster(cluster: OptionChecks, options: OptionChecks): ResolvedCluster {
  return {
    mirror: cluster.boolean('mirror', true),
    shareUser: Object.freeze([...cluster.texts('shareUser')]),
    acceptBeforeReady: cluster.boolean('acceptBeforeReady', false),
    joinWhenDegraded: cluster.boolean('joinWhenDegraded', false),
    lease: cluster.time('lease', 10_000, 100),
    probe: cluster.time('probe', 3_000, 50),
    lastSeen: resolveLastSeen(cluster),
    secrets: resolveSecrets(cluster),
    ignis: resolveIgnis(cluster, options),
  };
}

/** No timer runs so long, so that the bound of other times does not hold. */
function resolveLastSeen(cluster: OptionChecks): number | false {
  const given = cluster.raw('lastSeen') ?? false;
  const isTime = typeof given === 'number' && Number.isSafeInteger(given) && given >= SECOND && given <= TEN_YEARS;
  if (given === false || isTime) return given;
  return cluster.refuse('lastSeen', `a whole number of milliseconds from ${SECOND} to ${TEN_YEARS}, or false`);
}

/** The option `ignis` of the group `cluster`: whether workers also use the channels of Ignis. */
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
 * The prefix of channels and keys. It has no colon, since two prefixes could collide then: the channel for everybody of `a:room`
 * would be that of the room `broadcast` of `a`. Redis would allow other characters; these stay legible in a monitor.
 */
export function resolvePrefix(options: OptionChecks): string {
  const prefix = options.raw('prefix') ?? 'pxl';
  if (typeof prefix !== 'string' || !/^[^\s:{}\p{Cc}]{1,64}$/u.test(prefix)) {
    options.refuse('prefix', 'a text of 1 to 64 characters without spaces, colons and braces');
  }
  return prefix;
}

/**
 * The option `secret` of the group `cluster`.
 *
 * @throws PxlWebSocketOptionsError in one sentence that does not contain the given value
 */
export function resolveSecrets(cluster: OptionChecks): ResolvedSecrets {
  const given = cluster.raw('secret');
  if (given === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  const [first, ...others] = list;
  if (!isSecret(first) || !others.every(isSecret) || others.length > 1) return cluster.refuse('secret', ALLOWED_SECRET);
  const texts = [first, ...others].filter((secret) => secret !== false);
  if (texts.length === 0) return cluster.refuse('secret', ALLOWED_SECRET);
  const shortest = Math.min(...texts.map((secret) => secret.length));
  if (shortest < SHORTEST) cluster.refuse('secret', ALLOWED_SECRET, `one of ${shortest} characters`);
  return Object.freeze([first, ...others] as const);
}

function isSecret(value: unknown): value is string | false {
  return typeof value === 'string' || value === false;
}
