import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { typeErrorsOf } from '../support/type-check.js';

const PRELUDE = `
import { z } from 'zod';
import {
  composeHandlers, defineWebSocketSubscriber, loggingMiddleware, matchAll, matchByProperty, matchByPropertyPredicate,
  PxlWebSocketModule, validationMiddleware, withDebounce, withErrorHandler, withFilter, withLogging, withMetadata,
  withRateLimit, withRetry, withThrottle, withValidation, WebSocketRedisSubscriberEvent, WsSubscriber,
  type ClusterEventMessages, type WebSocketSubscriberDefinition, type WebSocketSubscriberHandlerContext,
  type WebSocketSubscriberMiddleware,
} from 'nestjs-pxl-websocket';
interface Job { id: number }
type JobContext = WebSocketSubscriberHandlerContext<Job>;
const run = async ({ message }: JobContext): Promise<number> => message.id;
const named = ({ channel }: WebSocketSubscriberHandlerContext): string => channel;
`;

/** The subscribers of PXL's documents, as they stand there; `test/conformance/pxl-subscribers.spec.ts` runs them. */
const PXL = 'the examples of PXL';
const EXAMPLES = readFileSync(new URL('../support/pxl-subscribers.ts', import.meta.url), 'utf8');

/** Snippets that compile. */
const GOOD: Record<string, string> = {
  'the message of a channel of the library': `
    defineWebSocketSubscriber({ channel: 'clientConnected', handle: ({ message }) => message.connectedAt.toFixed() });
    defineWebSocketSubscriber({
      channel: WebSocketRedisSubscriberEvent.ClientDisconnected,
      handle: ({ message }) => message.code + message.reason.length,
    });`,
  'the messages of several channels of the library': `
    defineWebSocketSubscriber({
      channels: [WebSocketRedisSubscriberEvent.QueueJobCompleted, WebSocketRedisSubscriberEvent.QueueJobError],
      handle: ({ message }) => ('failedReason' in message ? message.failedReason : message.returnValue),
    });`,
  'the message that the type argument says': `
    defineWebSocketSubscriber<Job>({ channel: 'jobs', handle: ({ message }) => message.id.toFixed() });
    defineWebSocketSubscriber<Job>({ channel: 'custom', handle: ({ message }) => message.id.toFixed() });
    defineWebSocketSubscriber<Job>({ match: [/^jobs/g, ({ message }) => message.id > 1], handle: ({ message }) => message.id });`,
  'the message that a schema makes': `
    const schema = z.object({ count: z.coerce.number() }).transform(({ count }) => [count]);
    defineWebSocketSubscriber({ channel: 'jobs', schema, handle: ({ message }) => message[0]?.toFixed() });
    defineWebSocketSubscriber({ channel: 'clientConnected', schema, handle: ({ message }) => message.length });
    defineWebSocketSubscriber({ match: [matchByProperty('a', 1), ({ message }) => message === 1], schema, handle: ({ message }) => message.length });`,
  'the message that the handler says': `
    const definition = defineWebSocketSubscriber({ channel: 'jobs', handle: run });
    const typed: WebSocketSubscriberDefinition<Job> = definition;
    export { typed };`,
  'a message of which nothing is said: what it holds is not checked': `
    defineWebSocketSubscriber({ channel: 'jobs', handle: ({ message }) => message.id });
    defineWebSocketSubscriber({ channels: ['custom', 'sendMessage', 'sendMessageToAll'], handle: ({ message }) => message?.id });
    defineWebSocketSubscriber({ match: [/^a/, ({ message }) => message?.segment === 'vip'], handle: ({ message }) => message.id });
    defineWebSocketSubscriber({ match: matchByPropertyPredicate('priority', (value) => value > 5), handle: ({ message }) => message.id });
    defineWebSocketSubscriber({ match: matchAll('a', ({ message }) => message?.segment === 'vip'), handle: ({ message }) => message.id });
    PxlWebSocketModule.forRoot({ subscribers: [{ channels: ['a'], matchers: [({ message }) => message?.a === 1], handle: ({ message }) => message.a }] });`,
  'no more of it in wrappers and middleware': `
    const check = (message?: { type?: string }): void => { if (!message?.type) throw new Error('Missing type'); };
    const handler = async ({ message }: WebSocketSubscriberHandlerContext) => message.id;
    defineWebSocketSubscriber({ channel: 'a', handle: withValidation((message) => { if (!message?.type) throw new Error('Missing type'); }, handler) });
    defineWebSocketSubscriber({ channel: 'a', handle: withValidation(check, ({ message }) => message?.id) });
    defineWebSocketSubscriber({ channel: 'a', handle: withFilter((context) => context.message?.authenticated === true, handler) });
    defineWebSocketSubscriber({ channel: 'a', handle: withFilter(({ message }) => message?.authenticated === true, ({ message }) => message.id) });
    defineWebSocketSubscriber({ channel: 'a', handle: composeHandlers([async ({ message }) => message?.data, withLogging(async ({ message }) => message.type, 'type'), handler]) });
    defineWebSocketSubscriber({ channel: 'a', handle: withRetry(withThrottle(withDebounce(({ message }) => message.id, 10), 10), 1, 10) });
    defineWebSocketSubscriber({ channel: 'a', handle: withMetadata({ source: 'billing' }, ({ message, metadata }) => metadata.source.length + message.id) });
    const signed: WebSocketSubscriberMiddleware = { name: 'signed', onBefore: async ({ message }) => message?.signature !== undefined };
    const middleware = [signed, loggingMiddleware('a'), validationMiddleware((message) => message?.type === 'a')];
    defineWebSocketSubscriber({ channel: 'a', middleware, handle: ({ message }) => message.id });`,
  'unknown, where it says so': `
    defineWebSocketSubscriber<unknown>({ channel: 'jobs', handle: ({ message }) => typeof message === 'string' && message.length });`,
  'a message of the library, beside what says nothing of it': `
    defineWebSocketSubscriber({ channel: 'clientConnected', middleware: [loggingMiddleware('a')], handle: ({ message }) => message.connectedAt.toFixed() });
    const typed: WebSocketSubscriberDefinition<Job> = defineWebSocketSubscriber({ channel: 'jobs', handle: run });
    export { typed };`,
  'all of it, with matchers of every kind': `
    defineWebSocketSubscriber<Job>({
      name: 'jobs', description: 'what it is for', priority: -0.5, run: 'oneWorker',
      match: ['jobs', '*', /^jobs/, ({ message }) => message.id > 1, matchByProperty('id', 1),
        matchByPropertyPredicate('id', (id: number) => id > 1), matchAll('jobs', ({ message }) => message.id > 1)],
      middleware: [loggingMiddleware('jobs'), validationMiddleware(({ id }: Job) => id > 1)],
      async handle({ message, webSocketServer, redis, moduleRef }) {
        webSocketServer.broadcastToAllClients({ data: message.id, predicate: ({ userData }) => userData !== null });
        await redis?.get('key');
        return moduleRef;
      },
    });`,
  'subscribers of different messages as the option': `
    PxlWebSocketModule.forRoot({
      subscribers: [
        defineWebSocketSubscriber<Job>({ channel: 'jobs', handle: run }),
        defineWebSocketSubscriber({ channel: 'clientConnected', handle: ({ message }) => message.clientId }),
        { channels: ['a'], matchers: [/b/g, ({ channel }) => channel === 'c'], handle: ({ message }) => message },
      ],
    });`,
  'a wrapped handler that keeps its context and result': `
    const typed: (context: JobContext) => Promise<number> = withRetry(withLogging(run, 'jobs'), 3, 100, 2);
    const limited: (context: JobContext) => Promise<number | undefined> = withRateLimit(withThrottle(run, 10), 1, 10, ({ message }) => message.id);
    const filtered: (context: JobContext) => Promise<string | undefined> = withFilter(({ message }: JobContext) => message.id > 1, named);
    defineWebSocketSubscriber<Job>({ channel: 'jobs', handle: withErrorHandler(withDebounce(run, 10), (error, { message }) => error.message + message.id) });
    export { filtered, limited, typed };`,
  'wrappers around handlers without a type of their own': `
    defineWebSocketSubscriber<Job>({ channel: 'jobs', handle: withRetry(withRateLimit(({ message }) => message.id, 1, 2), 3, 100) });
    defineWebSocketSubscriber<Job>({ channel: 'jobs', handle: withFilter(({ message }) => message.id > 1, ({ message }) => message.id) });
    defineWebSocketSubscriber<Job>({ channel: 'jobs', handle: withValidation((message) => { if (!message.id) throw new Error('odd'); }, ({ message }) => message.id) });
    defineWebSocketSubscriber<Job>({ channel: 'jobs', handle: composeHandlers([({ message }) => message.id, run, named]) });
    defineWebSocketSubscriber({ channel: 'userConnected', handle: withDebounce(({ message }) => message.userId, 10) });
    defineWebSocketSubscriber({ channels: ['presenceJoined', 'presenceLeft'], handle: ({ message }) => message.member.userId ?? message.member.joinedAt + message.roomName });
    defineWebSocketSubscriber({ channel: 'roomVacated', handle: withRetry(({ message }) => message.roomName, 1, 1) });
    defineWebSocketSubscriber<Job>({ channel: 'jobs', handle: withMetadata({ source: 'billing' }, ({ message, metadata }) => metadata.source.length + message.id) });`,
  'middleware of a message of its own': `
    const signed: WebSocketSubscriberMiddleware<{ signature?: string }> = {
      name: 'signed',
      onBefore: async ({ message }) => message.signature !== undefined,
      onAfter: (_context, result) => console.log(typeof result),
      onError: async (_context, error) => error.message === 'expected',
    };
    defineWebSocketSubscriber<{ signature?: string; id: number }>({ channel: 'a', middleware: [signed], handle: ({ message }) => message.id });`,
  'decorated methods': `
    class Jobs {
      @WsSubscriber({ channel: 'jobs', priority: 2, name: 'jobs' })
      jobs({ message }: JobContext): void { console.log(message.id); }
      @WsSubscriber({ channel: 'clientConnected' })
      async connected({ message }: WebSocketSubscriberHandlerContext<ClusterEventMessages['clientConnected']>): Promise<void> { console.log(message.clientId); }
      @WsSubscriber({ channels: ['userConnected', 'userDisconnected'] })
      users({ message }: WebSocketSubscriberHandlerContext<{ userId: string }>): void { console.log(message.userId); }
      @WsSubscriber({ match: /^jobs/, schema: z.object({ id: z.number() }) })
      checked({ message }: JobContext): void { console.log(message.id); }
      @WsSubscriber({ channel: '*' })
      @WsSubscriber({ match: ({ message }) => message === 1 })
      all(): void {}
    }
    export { Jobs };`,
};

/** Snippets that do not, and what the compiler complains of. */
const BAD: Record<string, [snippet: string, complaint: string]> = {
  'a channel and a match': [
    `defineWebSocketSubscriber({ channel: 'a', match: /a/, handle: named });`,
    "'RegExp' is not assignable to type 'undefined'",
  ],
  'a channel and channels': [
    `defineWebSocketSubscriber({ channel: 'a', channels: ['b'], handle: named });`,
    "is not assignable to type 'undefined'",
  ],
  'nothing that it hears': [`defineWebSocketSubscriber({ handle: named });`, 'No overload matches this call'],
  'no handler': [`defineWebSocketSubscriber({ channel: 'a' });`, "Property 'handle' is missing"],
  'an option that there is not': [
    `defineWebSocketSubscriber({ channel: 'a', prio: 1, handle: named });`,
    "'prio' does not exist",
  ],
  'another word for run': [
    `defineWebSocketSubscriber({ channel: 'a', run: 'once', handle: named });`,
    `Type '"once"' is not assignable`,
  ],
  'a field that the message has not': [
    `defineWebSocketSubscriber({ channel: 'clientConnected', handle: ({ message }) => message.roomName });`,
    "Property 'roomName' does not exist",
  ],
  'a field of a message that is said to be unknown': [
    `defineWebSocketSubscriber<unknown>({ channel: 'jobs', handle: ({ message }) => message.id });`,
    "'message' is of type 'unknown'",
  ],
  'a field that a message of the library has not, beside middleware that says nothing of it': [
    `defineWebSocketSubscriber({ channel: 'clientConnected', middleware: [loggingMiddleware('a')], handle: ({ message }) => message.roomName });`,
    "Property 'roomName' does not exist",
  ],
  'a field that the type argument has not, in a predicate': [
    `defineWebSocketSubscriber<Job>({ match: ({ message }) => message.segment === 'vip', handle: run });`,
    "Property 'segment' does not exist",
  ],
  'a field that a message of the library has not, in a wrapper': [
    `defineWebSocketSubscriber({ channel: 'userConnected', handle: withRetry(withFilter(() => true, ({ message }) => message.roomName), 1, 1) });`,
    "Property 'roomName' does not exist",
  ],
  'a member of an event of a room': [
    `defineWebSocketSubscriber({ channel: 'roomVacated', handle: withRetry(({ message }) => message.member, 1, 1) });`,
    "Property 'member' does not exist",
  ],
  'a field that the schema does not make, in a wrapper': [
    `defineWebSocketSubscriber({ channel: 'jobs', schema: z.object({ id: z.number() }), handle: withMetadata({ a: 1 }, ({ message }) => message.name) });`,
    "Property 'name' does not exist",
  ],
  'a field that the type argument has not, in a wrapper': [
    `defineWebSocketSubscriber<Job>({ channel: 'jobs', handle: withFilter(({ message }) => message.segment === 'vip', run) });`,
    "Property 'segment' does not exist",
  ],
  'middleware of another message than the handler': [
    `const signed: WebSocketSubscriberMiddleware<{ signature?: string }> = { name: 'signed', onBefore: ({ message }) => message.signature !== undefined };
    defineWebSocketSubscriber({ channel: 'jobs', middleware: [signed], handle: run });`,
    "Property 'id' is missing in type '{ signature?: string",
  ],
  'a field that the schema does not make': [
    `defineWebSocketSubscriber({ channel: 'jobs', schema: z.object({ id: z.number() }), handle: ({ message }) => message.name });`,
    "Property 'name' does not exist",
  ],
  'a handler of another message than the type argument': [
    `defineWebSocketSubscriber<{ id: string }>({ channel: 'jobs', handle: run });`,
    "Type 'string' is not assignable to type 'number'",
  ],
  'a wrapped handler of another message': [
    `defineWebSocketSubscriber<{ id: string }>({ channel: 'jobs', handle: withRetry(run, 1, 1) });`,
    "Type 'string' is not assignable to type 'number'",
  ],
  'a predicate that answers no boolean': [
    `defineWebSocketSubscriber({ match: async () => true, handle: named });`,
    'Promise<boolean>',
  ],
  'a decorated method of another message': [
    `class Jobs { @WsSubscriber({ channel: 'clientConnected' }) jobs({ message }: JobContext): void { console.log(message.id); } } export { Jobs };`,
    "Property 'id' is missing",
  ],
  'a decorated method of another message than its schema makes': [
    `class Jobs { @WsSubscriber({ channel: 'a', schema: z.object({ id: z.string() }) }) jobs({ message }: JobContext): void { console.log(message.id); } } export { Jobs };`,
    'id: string',
  ],
  'metadata that is not there': [
    `withMetadata({ source: 'a' }, ({ metadata }) => metadata.target);`,
    "Property 'target' does not exist",
  ],
};

/** What the compiler says of each snippet. */
let complaints: Map<string, string>;

beforeAll(() => {
  const snippets = [...Object.entries(GOOD), ...Object.entries(BAD).map(([name, [text]]) => [name, text] as const)];
  const texts = snippets.map(([, text]) => `${PRELUDE}${text}\nexport {};`);
  const [examples = [], ...errors] = typeErrorsOf([EXAMPLES, ...texts]);
  complaints = new Map(snippets.map(([name], index) => [name, errors[index]!.join('\n')]));
  complaints.set(PXL, examples.join('\n'));
}, 60_000);

describe('The types of subscribers take', () => {
  it.each([...Object.keys(GOOD), PXL])('%s', (name) => {
    expect(complaints.get(name)).toBe('');
  });
});

describe('The types of subscribers refuse', () => {
  it.each(Object.entries(BAD))('%s', (name, [, complaint]) => {
    expect(complaints.get(name)).toContain(complaint);
  });
});
