import { beforeAll, describe, expect, it } from '@jest/globals';
import { typeErrorsOf } from '../support/type-check.js';

const CONTRACT = `
import { z } from 'zod';
import { Injectable } from '@nestjs/common';
import { WebSocketService, type RouteData, type RouteReply } from 'nestjs-pxl-websocket';
import { WebSocketClient } from 'nestjs-pxl-websocket/client';
interface Chat {
  routes: {
    chat: {
      send: { data: { text: string }; reply: { sent: boolean } };
      typing: { data: undefined };
      history: { data: { room: string }; stream: { text: string } };
    };
    user: { name: { reply: string } };
  };
  pushes: { chat: { message: { from: string; text: string }; cleared: undefined }; event: { plain: number } };
  calls: { user: { confirm: { data: { question: string }; reply: boolean } } };
}
const schemas = {
  routes: { chat: { send: { data: z.object({ text: z.string(), at: z.coerce.date() }), reply: z.object({ sent: z.boolean() }) } } },
  pushes: { chat: { message: z.object({ text: z.string().default('') }) } },
};
const chat = new WebSocketClient<Chat>({ url: '/ws' });
const schemed = new WebSocketClient<typeof schemas>({ url: '/ws' });
const untyped = new WebSocketClient({ url: '/ws' });
declare const sockets: WebSocketService<Chat>;
declare const plain: WebSocketService;
export { Injectable, chat, schemed, untyped, sockets, plain };
export type { Chat, RouteData, RouteReply };
`;

/** The line behind the contract, on which each snippet stands. */
const LINE = CONTRACT.split('\n').length;

const GOOD = [
  `const { sent }: { sent: boolean } = await chat.request('chat', 'send', { text: 'Hello' }, { timeout: 5 }); export { sent };`,
  `const nothing: null = await chat.request('chat', 'typing'); export { nothing };`,
  `const name: string = await chat.request('user', 'name', undefined, { signal: new AbortController().signal }); export { name };`,
  `for await (const { text } of chat.stream('chat', 'history', { room: 'tea' })) text.trim();`,
  `const isSent: boolean = chat.send('chat', 'history', { room: 'tea' }); chat.send('chat', 'typing'); export { isSent };`,
  `chat.on('chat', 'message', ({ from, text }, { type }) => from + text + type);`,
  `chat.on('chat', 'cleared', (data: undefined) => data); chat.on('event', 'plain', async (data) => data.toFixed());`,
  `chat.on('room', 'memberJoined', ({ roomName, member }) => roomName + member.clientId);`,
  `chat.on('auth', 'expiring', ({ expiresAt }) => expiresAt.toFixed());`,
  `chat.handle('user', 'confirm', ({ question }) => question === ''); chat.handle('user', 'confirm', async () => true);`,
  `const { sent }: { sent: boolean } = await schemed.request('chat', 'send', { text: 'a', at: '2026-01-01' }); export { sent };`,
  `schemed.on('chat', 'message', ({ text }) => text?.trim());`,
  `schemed.handle('any', 'thing', (data: unknown) => data);`,
  `const answer: unknown = await untyped.request('any', 'thing', { a: 1 }); export { answer };`,
  `for await (const value of untyped.stream('any', 'thing')) { const known: unknown = value; void known; }`,
  `untyped.send('any', 'thing'); untyped.on('any', 'thing', (data: unknown) => data); untyped.handle('any', 'thing', () => 1);`,
  `await sockets.broadcast({ type: 'chat', action: 'message', data: { from: 'ada', text: 'Hello' } });`,
  `await sockets.sendToRooms(['tea'], { event: 'chat:message', data: { from: 'ada', text: 'Hello' } }, { exclude: [] });`,
  `await sockets.sendToUsers([1], { type: 'chat', action: 'cleared' }); await sockets.sendToClients(['c'], { event: 'plain', data: 1 });`,
  `await plain.broadcast({ type: 'any', action: 'thing', data: new Date() }); await plain.broadcast({ event: 'any' });`,
  `@Injectable() export class Service { constructor(readonly sockets: WebSocketService<Chat>) {} }`,
  `const data: RouteData<Chat, 'chat', 'send'> = { text: '' }; const reply: RouteReply<Chat, 'chat', 'send'> = { sent: true }; export { data, reply };`,
  `class Other { constructor(readonly client: WebSocketClient<Chat>) {} } new Other(chat); const some: WebSocketClient<Chat> = chat; export { some };`,
];

const BAD: [string, string][] = [
  [`await chat.request('chat', 'sned', { text: '' });`, `'"sned"' is not assignable`],
  [`await chat.request('chats', 'send', { text: '' });`, `'"chats"' is not assignable`],
  [`await chat.request('chat', 'send', { text: 5 });`, `'number' is not assignable to type 'string'`],
  [`await chat.request('chat', 'send');`, 'Expected 3-4 arguments'],
  [`await chat.request('chat', 'typing', { text: '' });`, `not assignable to parameter of type 'undefined'`],
  [`const { got } = await chat.request('chat', 'send', { text: '' }); export { got };`, `'got' does not exist`],
  [`await chat.request('chat', 'history', { room: 'tea' });`, `'"history"' is not assignable`],
  [`chat.stream('chat', 'send', { text: '' });`, `'"send"' is not assignable`],
  [
    `for await (const { nothing } of chat.stream('chat', 'history', { room: 'tea' })) nothing;`,
    `'nothing' does not exist`,
  ],
  [`chat.send('chat', 'send', { txt: '' });`, `'txt' does not exist`],
  [`chat.on('chat', 'mesage', () => 1);`, `'"mesage"' is not assignable`],
  [`chat.on('chat', 'message', ({ nobody }) => nobody);`, `'nobody' does not exist`],
  [`chat.handle('user', 'confirm', () => 'yes');`, `'string' is not assignable to type 'boolean`],
  [`await schemed.request('chat', 'send', { text: 5, at: '' });`, `'number' is not assignable to type 'string'`],
  [
    `const text: string = await untyped.request('any', 'thing'); export { text };`,
    `'unknown' is not assignable to type 'string'`,
  ],
  [`untyped.on('any', 'thing', (data: string) => data);`, `'unknown' is not assignable to type 'string'`],
  [`await sockets.broadcast({ type: 'chat', action: 'mesage', data: { from: '', text: '' } });`, 'not assignable'],
  [`await sockets.broadcast({ type: 'chat', action: 'message', data: { from: '' } });`, `'text' is missing`],
  [`await sockets.sendToRooms(['tea'], { event: 'chat:mesage', data: 1 });`, 'not assignable'],
  [`await sockets.broadcast({ event: 'plain', data: 'one' });`, `'string' is not assignable to type 'number |`],
];

/** Classes of sockets, each of which a client takes. */
const SOCKETS = {
  "Node's own": use(''),
  'that of ws': use(`import { WebSocket } from 'ws';`),
  'one that adds headers': use(`import { WebSocket as Plain } from 'ws';
    class WebSocket extends Plain {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, { headers: { 'x-tenant': 'a' } });
      }
    }`),
};

function use(from: string): string {
  return `${from}
    import { WebSocketClient } from 'nestjs-pxl-websocket/client';
    export const client = new WebSocketClient({ url: '/ws', webSocket: WebSocket });`;
}

let errors: string[][];

beforeAll(() => {
  const snippets = [...GOOD, ...BAD.map(([snippet]) => snippet)].map((snippet) => `${CONTRACT}${snippet}`);
  errors = typeErrorsOf([...snippets, ...Object.values(SOCKETS)]);
}, 60_000);

describe('a contract', () => {
  it.each(GOOD.map((snippet, index) => [snippet, index] as const))('lets pass: %s', (_snippet, index) => {
    expect(errors[index]).toEqual([]);
  });

  it.each(BAD.map(([snippet, message], index) => [snippet, message, GOOD.length + index] as const))(
    'finds the mistake in: %s',
    (_snippet, message, index) => {
      expect(errors[index]).toEqual([expect.stringContaining(message)]);
      expect(errors[index]![0]).toMatch(new RegExp(`^${LINE}: `));
    },
  );
});

describe('the class of sockets', () => {
  it.each(Object.keys(SOCKETS).map((name, index) => [name, GOOD.length + BAD.length + index] as const))(
    'may be %s',
    (_name, index) => {
      expect(errors[index]).toEqual([]);
    },
  );

  it('may be that of a page, where there is no Node', () => {
    const options = { lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'], types: [] };
    expect(typeErrorsOf([use('')], options)).toEqual([[]]);
  }, 30_000);
});
