import { PxlWebSocketOptionsError } from '../../errors/start-up.errors.js';
import { WEBHOOK_EVENTS, type WsWebhookEventName } from '../../protocol/webhook-events.js';
import { isGroup, OptionChecks } from '../checks/option-checks.js';
import { resolveRedis, type ResolvedRedis, type WsRedisClient, type WsRedisOption } from '../redis.options.js';
import type { ResolvedRooms } from '../rooms/rooms.options.js';
import { keyOf } from './webhook-secrets.js';

/** The events that only rooms with presence have. */
const OF_PRESENCE: ReadonlySet<string> = new Set<WsWebhookEventName>([
  'roomOccupied',
  'roomVacated',
  'presenceJoined',
  'presenceLeft',
]);
const LOCAL = /^(?:localhost|[^.]+\.localhost|127(?:\.\d+){3}|\[::1\])$/;
/** BullMQ's own default. */
const USUAL_PREFIX = 'bull';

/** One receiver of webhooks. */
export interface WsWebhookEndpoint {
  /**
   * Where events are sent, by POST: `https`, or `http` to this machine; to others `allowHttp` is needed. Redirects are not
   * followed.
   */
  url: string;
  /** The events that it gets. */
  events: readonly WsWebhookEventName[];
  /**
   * The secret that it shares with this application: `whsec_` and 24 to 64 random bytes in base64, as in Standard Webhooks. Of
   * several, each signs, so that one can be replaced by another without a gap.
   */
  secret: string | readonly string[];
  /** What it is called in the log, in metrics and in the queue. Default: the host of its url. */
  name?: string | undefined;
  /** True: `http` is allowed to other machines too, where a network of your own is trusted. Default: false. */
  allowHttp?: boolean | undefined;
}

/** The queue of BullMQ in which webhooks wait. */
export interface WsWebhookQueueOptions {
  /** Its name. Default: the module's `prefix` and `-webhooks`. */
  name?: string | undefined;
  /** Its `prefix` in BullMQ. Default: BullMQ's, `'bull'`. */
  prefix?: string | undefined;
  /** Where it is. An instance is duplicated, never used itself. Default: the module's own Redis. */
  redis?: WsRedisOption | undefined;
}

export interface WsWebhookOptions {
  /** Who gets which events. */
  endpoints: readonly WsWebhookEndpoint[];
  /**
   * True, or where it is: webhooks wait in a queue of BullMQ (the package `bullmq`), and each worker of the application sends
   * some of them. The end of a process loses none that are in it. Default: false, they wait in the memory of the worker that
   * tells the event.
   */
  queue?: boolean | WsWebhookQueueOptions | undefined;
  /** Milliseconds that a receiver has for its answer. Default: 15 000. */
  timeout?: number | undefined;
  /** How often an event is sent until a receiver takes it; then it is given up. Default: 12. */
  attempts?: number | undefined;
  /** Milliseconds until the second attempt. Each further time is twice as long; all are up to a quarter longer or shorter. Default: 5 000. */
  backoff?: number | undefined;
  /** Milliseconds until the next attempt at most, also where a receiver asks for more by `Retry-After`. Default: 3 600 000. */
  maxBackoff?: number | undefined;
  /** Requests to one endpoint at once, from one worker. Default: 8. */
  concurrency?: number | undefined;
  /** Events that wait for one endpoint in the memory of one worker. Beyond it the oldest are dropped. Default: 10 000. */
  limit?: number | undefined;
}

export interface ResolvedWebhookEndpoint {
  readonly name: string;
  readonly url: string;
  readonly events: ReadonlySet<string>;
  readonly keys: readonly Buffer[];
}

export interface ResolvedWebhookQueue {
  /** Undefined: after the module's prefix. */
  readonly name: string | undefined;
  readonly prefix: string;
  /** Undefined: the module's own Redis. */
  readonly template: WsRedisClient | undefined;
}

export interface ResolvedWebhooks {
  readonly endpoints: readonly ResolvedWebhookEndpoint[];
  /** Null: webhooks wait in memory. */
  readonly queue: ResolvedWebhookQueue | null;
  readonly timeout: number;
  readonly attempts: number;
  readonly backoff: number;
  readonly maxBackoff: number;
  readonly concurrency: number;
  readonly limit: number;
}

/** Undefined without the option. @throws PxlWebSocketOptionsError in one sentence */
export function resolveWebhooks(options: OptionChecks): ResolvedWebhooks | undefined {
  if (options.raw('webhooks') === undefined) return undefined;
  return options.inGroup('webhooks', (webhooks) => ({
    endpoints: resolveEndpoints(webhooks),
    queue: resolveQueue(webhooks),
    timeout: webhooks.time('timeout', 15_000, 100),
    attempts: webhooks.integer('attempts', 12, 1),
    backoff: webhooks.time('backoff', 5_000, 100),
    maxBackoff: webhooks.time('maxBackoff', 3_600_000, 100),
    concurrency: webhooks.integer('concurrency', 8, 1),
    limit: webhooks.integer('limit', 10_000, 1),
  }));
}

/** @throws PxlWebSocketOptionsError where an endpoint waits for events that there cannot be, or a queue has no Redis */
export function checkWebhooks(
  webhooks: ResolvedWebhooks | undefined,
  { presence }: ResolvedRooms,
  redis: ResolvedRedis | undefined,
): void {
  if (webhooks?.queue && !webhooks.queue.template && !redis) {
    throw new PxlWebSocketOptionsError("The option webhooks.queue needs a redis, of its own or the module's.");
  }
  if (presence) return;
  for (const { name, events } of webhooks?.endpoints ?? []) {
    const event = [...events].find((one) => OF_PRESENCE.has(one));
    if (event === undefined) continue;
    throw new PxlWebSocketOptionsError(
      `The option webhooks sends ${event} to ${name}, which only rooms with rooms.presence have.`,
    );
  }
}

function resolveEndpoints(webhooks: OptionChecks): readonly ResolvedWebhookEndpoint[] {
  const given = webhooks.raw('endpoints');
  if (!Array.isArray(given) || given.length === 0) {
    return webhooks.refuse('endpoints', 'a list of { url, events, secret }');
  }
  const endpoints = given.map((one, at) => resolveEndpoint(new OptionChecks(`webhooks.endpoints[${at}]`, one)));
  const names = endpoints.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new PxlWebSocketOptionsError(`Two of webhooks.endpoints are called ${twice}: give each a name of its own.`);
  }
  return Object.freeze(endpoints);
}

function resolveEndpoint(endpoint: OptionChecks): ResolvedWebhookEndpoint {
  const url = resolveUrl(endpoint);
  const events = endpoint.words('events', WEBHOOK_EVENTS);
  if (events.length === 0) endpoint.refuse('events', `a list of ${WEBHOOK_EVENTS.join(', ')}`);
  const given = endpoint.raw('name') ?? url.host;
  const name = typeof given === 'string' && given !== '' ? given : endpoint.refuse('name', 'a text that is not empty');
  const keys = resolveSecrets(endpoint);
  endpoint.finish();
  return Object.freeze({ name, url: url.href, events: new Set<string>(events), keys });
}

function resolveUrl(endpoint: OptionChecks): URL {
  const given = endpoint.raw('url');
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : null;
  if (!url || !/^https?:$/.test(url.protocol)) {
    return endpoint.refuse('url', "an absolute url, as 'https://example.com/hooks'");
  }
  if (url.username !== '' || url.password !== '') {
    return endpoint.refuse(
      'url',
      'a url without a user and a password, since the signature says who sends',
      'this one',
    );
  }
  const isAllowed = endpoint.boolean('allowHttp', false) || LOCAL.test(url.hostname);
  if (url.protocol === 'http:' && !isAllowed) {
    return endpoint.refuse('url', 'one of https, except where allowHttp is true', 'one of http');
  }
  return url;
}

function resolveSecrets(endpoint: OptionChecks): readonly Buffer[] {
  const given = endpoint.raw('secret');
  const secrets: readonly unknown[] = Array.isArray(given) ? given : [given];
  const keys = secrets.flatMap((secret) => keyOf(secret) ?? []);
  if (keys.length === secrets.length && keys.length > 0) return Object.freeze(keys);
  return endpoint.refuse(
    'secret',
    "'whsec_' and 24 to 64 bytes in base64 (as `openssl rand -base64 32` makes them), or a list of such texts",
  );
}

function resolveQueue(webhooks: OptionChecks): ResolvedWebhookQueue | null {
  const given = webhooks.raw('queue') ?? false;
  if (given === false) return null;
  if (given === true) return Object.freeze({ name: undefined, prefix: USUAL_PREFIX, template: undefined });
  if (!isGroup(given)) return webhooks.refuse('queue', 'true, false or { name, prefix, redis }');
  return webhooks.inGroup('queue', (queue) => ({
    name: textOf(queue, 'name'),
    prefix: textOf(queue, 'prefix') ?? USUAL_PREFIX,
    template: resolveRedis(queue)?.template,
  }));
}

function textOf(checks: OptionChecks, option: string): string | undefined {
  const value = checks.raw(option);
  if (value === undefined || (typeof value === 'string' && value !== '' && !value.includes(':'))) return value;
  return checks.refuse(option, 'a text that is not empty, without a colon');
}
