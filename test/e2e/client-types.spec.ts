import { beforeAll, describe, expect, it } from '@jest/globals';
import { COMPILERS, fileErrors, typeErrorsOf, type TypeError } from '../support/type-check.js';

/** A module that all snippets import, so that the compiler makes the types of a contract once and not for each of them. */
const CONTRACT = `
import { z } from 'zod';
import { Injectable } from '@nestjs/common';
import { Ack, ConnectedSocket, MessageBody } from '@nestjs/websockets';
import { of, type Observable } from 'rxjs';
import {
  WsClientId, WsParam, WsQuery, WsRoute, WsUser, type WsRequestParams, type WsRequestQuery, type WsUserInfo,
  PxlWebSocketServer, WebSocketEmitter, WebSocketService, WsSubscriber, type ClientEntry, type PushMessage, type RouteData,
  type RouteReply, type WsSendRequest, type ServerVerbs, type WebSocketMessage, type WebSocketSubscriberHandlerContext,
  type WsClient,
} from 'nestjs-pxl-websocket';
import {
  WebSocketClient, type WsAnyAction, type CallAction, type CallData, type CallReply, type CallType, type PushAction,
  type PushData, type PushType, type RouteAction, type RouteType, type StreamAction, type StreamValue,
  type Unsubscribe, type WebSocketContract,
} from 'nestjs-pxl-websocket/client';
import type { WsTestClient } from 'nestjs-pxl-websocket/testing';
interface Chat {
  routes: {
    chat: {
      send: { data: { text: string }; reply: { sent: boolean } };
      typing: { data: undefined };
      history: { data: { room: string }; stream: { text: string } };
      find: { data?: { text: string }; reply: string[] };
    };
    user: { name: { reply: string } };
  };
  pushes: { chat: { message: { from: string; text: string }; cleared: undefined }; user: { renamed: { name: string } }; event: { plain: number } };
  calls: { user: { confirm: { data: { question: string }; reply: boolean } }; event: { ask: { reply: number } } };
  user: Payload;
  metadata: { theme: 'light' | 'dark' };
}
interface Payload { name: string }
const schemas = {
  routes: { chat: { send: { data: z.object({ text: z.string(), at: z.coerce.date() }), reply: z.object({ sent: z.boolean() }) } } },
  pushes: { chat: { message: z.object({ text: z.string().default('') }) } },
};
const chat = new WebSocketClient<Chat>({ url: '/ws' });
const schemed = new WebSocketClient<typeof schemas>({ url: '/ws' });
const untyped = new WebSocketClient({ url: '/ws' });
declare const sockets: WebSocketService<Chat>;
declare const plain: WebSocketService;
declare const loose: WebSocketClient<any>;
declare const tester: WsTestClient<Chat>, plainTester: WsTestClient;
const ChatRoute = WsRoute<Chat>(), FromServer = WsRoute<Chat, 'client'>();
declare const server: PxlWebSocketServer<Chat>, plainServer: PxlWebSocketServer, anyServer: PxlWebSocketServer<any>;
declare const emitter: WebSocketEmitter<Chat>, plainEmitter: WebSocketEmitter, anySockets: WebSocketService<any>;
declare const client: WsClient<Chat>, plainClient: WsClient, anyClient: WsClient<any>;
export {
  Ack, ConnectedSocket, Injectable, MessageBody, of, PxlWebSocketServer, WebSocketClient, WebSocketEmitter, WebSocketService,
  WsClientId, WsParam, WsQuery, WsRoute, WsSubscriber, WsUser,
  anyClient, anyServer, anySockets, chat, ChatRoute, client, emitter, FromServer, loose, plain, plainClient, plainEmitter,
  plainServer, plainTester, schemed, server, sockets, tester, untyped,
};
export type {
  CallAction, CallData, CallReply, CallType, Chat, ClientEntry, Observable, PushAction, PushData, PushMessage, PushType,
  RouteAction, RouteData, RouteReply, RouteType, ServerVerbs, StreamAction, StreamValue, Unsubscribe, WebSocketContract,
  WebSocketMessage, WebSocketSubscriberHandlerContext, WsAnyAction, WsClient, WsRequestParams, WsRequestQuery, WsSendRequest,
  WsTestClient, WsUserInfo,
};
`;

/** All that it exports. */
const IMPORTS = [...CONTRACT.matchAll(/^export (type )?(\{[^}]*\});$/gm)].map(
  ([, type = '', names = '']) => `import ${type}${names.replaceAll('\n', ' ')} from './contract.js';\n`,
);

/** The line behind the imports, on which each snippet stands. */
const LINE = IMPORTS.length + 1;

const GOOD = [
  `const { sent }: { sent: boolean } = await chat.request('chat', 'send', { text: 'Hello' }, { timeout: 5 }); export { sent };`,
  `const nothing: null = await chat.request('chat', 'typing'); export { nothing };`,
  `const name: string = await chat.request('user', 'name', undefined, { signal: new AbortController().signal }); export { name };`,
  `for await (const { text } of chat.stream('chat', 'history', { room: 'tea' })) text.trim();`,
  `const isSent: boolean = chat.send('chat', 'history', { room: 'tea' }); chat.send('chat', 'typing'); export { isSent };`,
  `chat.on('chat', 'message', ({ from, text }, { type }) => from + text + type);`,
  `chat.on('chat', 'cleared', (data: undefined) => data); chat.on('event', 'plain', async (data) => data.toFixed());`,
  `chat.on('room', 'memberJoined', ({ roomName, member }) => roomName + member.clientId);`,
  `chat.on('room', 'lost', ({ roomName, position, reason }) => reason === 'trimmed' && roomName + position.epoch);`,
  `chat.on('room', 'joined', ({ position }) => position.offset + 1); chat.on('room', 'position', ({ roomName }) => roomName);`,
  `chat.on('auth', 'expiring', ({ expiresAt }) => expiresAt.toFixed());`,
  `chat.handle('user', 'confirm', ({ question }) => question === ''); chat.handle('user', 'confirm', async () => true);`,
  `const { sent }: { sent: boolean } = await schemed.request('chat', 'send', { text: 'a', at: '2026-01-01' }); export { sent };`,
  `schemed.on('chat', 'message', ({ text }) => text?.trim());`,
  `schemed.handle('any', 'thing', (data: unknown) => data);`,
  `const answer: unknown = await untyped.request('any', 'thing', { a: 1 }); export { answer };`,
  `for await (const value of untyped.stream('any', 'thing')) { const known: unknown = value; void known; }`,
  `untyped.send('any', 'thing'); untyped.on('any', 'thing', (data: unknown) => data); untyped.handle('any', 'thing', () => 1);`,
  `await sockets.broadcast({ type: 'chat', action: 'message', data: { from: 'ada', text: 'Hello' } });`,
  `await sockets.sendToRooms(['tea'], { event: 'chat:message', data: { from: 'ada', text: 'Hello' } }, { exclude: [] });
   await sockets.broadcast({ event: 'plain', data: 1 }, { exclude: { clients: ['c'], users: ['a', 1], rooms: [] } });
   const near = ['near', { x: 1 }] as const; await sockets.sendToRooms(['tea'], { event: 'plain', data: 1 }, { where: near, exclude: { users: [] } });
   await sockets.send({ payload: { topic: 'plain', data: 1 }, exclude: { rooms: ['tea'] } });`,
  `await sockets.sendToRooms(['tea'], { event: 'plain', data: 1 }, { idempotencyKey: 'order 7' }); await sockets.clearHistory('tea');`,
  `const acme = { namespace: 'acme' }; await sockets.sendToRooms(['tea'], { event: 'plain', data: 1 }, acme); await sockets.clearHistory('tea', acme);
   await sockets.send({ destination: { room: 'tea', ...acme }, payload: { topic: 'plain', data: 1 } });
   await sockets.joinRooms({ userIds: [1], rooms: ['tea'], ...acme }); await sockets.reauthorize({ room: 'tea', ...acme });
   await sockets.getMembers('tea', { ...acme, limit: 1 }); await sockets.getHistory('tea', { ...acme, limit: 1 });
   server.broadcastToRoom({ roomName: 'tea', ...acme, data: { event: 'plain', data: 1 } }); server.leaveRoom({ clientId: 'c', roomName: 'tea', ...acme });
   await emitter.toRoom({ room: 'tea', ...acme, event: 'plain', data: 1 }); await client.join('tea', acme); client.leave('tea', acme);`,
  `for (const { offset, message } of (await sockets.getHistory('tea')).messages) { if (message.action === 'message') message.data.text.at(offset); }`,
  `const { messages: [kept] } = await plain.getHistory('tea', { limit: 1 }); const data: unknown = kept?.message.data; export { data };`,
  `await sockets.sendToUsers([1], { type: 'chat', action: 'cleared' }); await sockets.sendToClients(['c'], { event: 'plain', data: 1 });`,
  `await plain.broadcast({ type: 'any', action: 'thing', data: new Date() }); await plain.broadcast({ event: 'any' });`,
  `@Injectable() export class Service { constructor(readonly sockets: WebSocketService<Chat>) {} }`,
  `const data: RouteData<Chat, 'chat', 'send'> = { text: '' }; const reply: RouteReply<Chat, 'chat', 'send'> = { sent: true }; export { data, reply };`,
  `const all: string[] = await chat.request('chat', 'find'); await chat.request('chat', 'find', { text: 'a' }); export { all };`,
  `loose.on('any', 'thing', (data) => data.deep.field); loose.on('room', 'memberJoined', ({ roomName }) => roomName);`,
  `const { deep } = await loose.request('any', 'thing', { a: 1 }); await loose.request('any', 'thing'); export { deep };`,
  `for await (const { deep } of loose.stream('any', 'thing', 5)) deep.field; loose.send('any', 'thing', 1); loose.send('a', 'b');`,
  `loose.handle('any', 'thing', ({ deep }) => deep.field); loose.handle('any', 'thing', async () => 1);`,
  `const some: WebSocketClient<Chat> = loose; const any: WebSocketClient<any> = chat; const none: WebSocketClient = loose; export { some, any, none };`,
  `declare const half: WebSocketClient<{ pushes: any; routes: { chat: any } }>;
   half.on('any', 'thing', ({ deep }) => deep.field); const { deep } = await half.request('chat', 'any', 1); export { deep };`,
  `export function usePush<C extends WebSocketContract, T extends PushType<C>, A extends PushAction<C, T>>(
     client: WebSocketClient<C>, type: T, action: A, handler: (data: PushData<C, T, A>) => void,
   ): Unsubscribe { return client.on(type, action, handler); }
   usePush(chat, 'chat', 'message', ({ from }) => from.trim()); usePush(chat, 'auth', 'expiring', ({ expiresAt }) => expiresAt.toFixed());
   usePush(untyped, 'any', 'thing', (data: unknown) => data); usePush(loose, 'any', 'thing', ({ deep }) => deep.field);`,
  `export function last<C extends WebSocketContract, T extends PushType<C>, A extends PushAction<C, T>>(
     client: WebSocketClient<C>, type: T, action: A,
   ): { data: PushData<C, T, A> | null } {
     const found: { data: PushData<C, T, A> | null } = { data: null };
     client.on(type, action, (data) => { found.data = data; });
     client.on('room', 'memberJoined', ({ roomName, member }) => roomName + member.clientId);
     return found;
   }
   const text: string | undefined = last(chat, 'chat', 'message').data?.text; export { text };`,
  `export function answer<C extends WebSocketContract, T extends CallType<C>, A extends CallAction<C, T>>(
     client: WebSocketClient<C>, type: T, action: A, handler: (data: CallData<C, T, A>) => CallReply<C, T, A>,
   ): Unsubscribe { return client.handle(type, action, handler); }
   answer(chat, 'user', 'confirm', ({ question }) => question === '');`,
  `export function ask<C extends WebSocketContract, T extends RouteType<C>, A extends RouteAction<C, T>>(
     client: WebSocketClient<C>, type: T, action: A, data: RouteData<C, T, A>,
   ): Promise<RouteReply<C, T, A>> { return client.request(type, action, data, { timeout: 5 }); }
   const { sent }: { sent: boolean } = await ask(chat, 'chat', 'send', { text: '' }); export { sent };`,
  `export function tell<C extends WebSocketContract, T extends RouteType<C>, A extends WsAnyAction<C, T>>(
     client: WebSocketClient<C>, type: T, action: A, data: RouteData<C, T, A>,
   ): boolean { return client.send(type, action, data); }
   export function each<C extends WebSocketContract, T extends RouteType<C>, A extends StreamAction<C, T>>(
     client: WebSocketClient<C>, type: T, action: A, data: RouteData<C, T, A>,
   ): AsyncIterable<StreamValue<C, T, A>> { return client.stream(type, action, data); }
   tell(chat, 'chat', 'history', { room: '' }); for await (const { text } of each(chat, 'chat', 'history', { room: '' })) text.trim();`,
  `class Other { constructor(readonly client: WebSocketClient<Chat>) {} } new Other(chat); const some: WebSocketClient<Chat> = chat; export { some };`,
  `import { createElement } from 'react'; import { createSocketHooks, SocketProvider } from 'nestjs-pxl-websocket/react';
   const hooks = createSocketHooks<Chat>(); createElement(hooks.SocketProvider, { client: chat }); createElement(SocketProvider, { client: chat });
   hooks.usePush('chat', 'message', ({ from }) => from.trim()); hooks.usePush('auth', 'expiring', ({ expiresAt }) => expiresAt.toFixed());
   const asked: Promise<{ sent: boolean }> = hooks.useRequest('chat', 'send', { text: '' }).promise; hooks.useRequest('chat', 'find'); export { asked };`,
  `import { createApp, ref } from 'vue'; import { createSocketHooks, socketPlugin } from 'nestjs-pxl-websocket/vue';
   const hooks = createSocketHooks<Chat>(); createApp({}).use(hooks.socketPlugin, chat).use(socketPlugin, chat); hooks.useRoom(() => 'tea');
   hooks.usePush('chat', 'message', ({ from }) => from.trim()); const { data } = hooks.useRequest('chat', 'send', ref({ text: '' }));
   const sent: boolean | undefined = data.value?.sent; hooks.useRequest('chat', 'find', () => ({ text: 'a' })); export { sent };`,
];

/** Of the server's side: of a contract, without one, and with any. */
const GOOD_OF_SERVERS = [
  `await sockets.broadcast({ event: 'plain', data: 5 }); await sockets.send({ payload: { topic: 'chat:message', data: { from: '', text: '' } } });
   await sockets.sendUserMessage('renamed', { name: 'Ada' }); const message: PushMessage<Chat> = { event: 'plain', data: 1 }; await sockets.broadcast(message);`,
  `server.sendMessageToAll({ data: { event: 'plain', data: 1 } }); server.local.broadcastToRoom({ roomName: 'tea', data: { type: 'chat', action: 'cleared' } });
   server.broadcastToAllClients({ data: { event: 'plain', data: 1 }, predicate: ({ clientId }) => clientId === 'a' });
   server.sendClientMessage(client, { event: 'plain', data: 1 }); server.local.broadcastToUsers({ userIds: [1], data: { event: 'plain', data: 1 } });`,
  `await emitter.toUser({ userId: 1, type: 'chat', action: 'message', data: { from: '', text: '' } });
   await emitter.toRoom({ room: 'tea', event: 'plain', data: 1, exclude: ['c'], where: ['all'] });
   await emitter.toUser({ userId: 1, event: 'plain', data: 1, exclude: { rooms: ['tea'], users: [2] } }); await emitter.broadcast({ event: 'chat:cleared' });`,
  `client.send({ type: 'chat', action: 'cleared' }); client.send('ready text'); client.emit('plain', 1); client.emit('chat:cleared');
   const yes: boolean = await client.call({ type: 'user', action: 'confirm', data: { question: '' } }, { timeout: 5 });
   const count: number = await client.call({ event: 'ask' }); export { yes, count };`,
  `const name: string | undefined = client.user?.payload.name; client.metadata.theme = 'dark';
   const theme: 'light' | 'dark' | undefined = client.metadata.theme; export { name, theme };`,
  `export const asUntyped: [WsClient, WebSocketService, PxlWebSocketServer, WebSocketEmitter, ServerVerbs, ClientEntry] =
     [client, sockets, server, emitter, server, client];
   export const asTyped: [WebSocketService<Chat>, PxlWebSocketServer<Chat>, WebSocketEmitter<Chat>, WsClient<Chat>, ClientEntry<Chat>] =
     [plain, plainServer, plainEmitter, anyClient, client];`,
  `await plain.broadcast({ type: 'a', action: 'b' }); plainServer.sendMessageToAll({ data: 5 }); plainClient.send(5); plainClient.emit('a', 1);
   const answer: unknown = await plainClient.call({ event: 'a' }); plainClient.metadata['a'] = 1; await plainEmitter.broadcast({ event: 'a' });
   const request: WsSendRequest = { payload: { topic: 'a', data: 1 } }; await plain.send(request); await plain.sendUserMessage('a', 1);
   declare const some: WebSocketMessage; await plain.broadcast(some); const own = { type: 'a', action: 'b', data: 1 }; await plain.broadcast(own);
   export { answer, own };`,
  `await anySockets.broadcast({ type: 'a', action: 'b' }); anyServer.sendMessageToAll({ data: 5 }); anyClient.send(5); anyClient.emit('a');
   (await anyClient.call({ event: 'a' })).deep; anyClient.metadata.a = 1; anyClient.user?.payload.deep.field;`,
  `const { sent }: { sent: boolean } = await tester.request('chat', 'send', { text: '' }); tester.send('any text'); export { sent };
   tester.send({ type: 'chat', action: 'send', data: { text: '' }, id: 1 }); tester.send({ event: 'chat:typing' });
   await tester.call('chat', 'history', { room: 'tea' }); plainTester.send(5); plainTester.send({ type: 'a' });
   const answer: unknown = await plainTester.request('any', 'thing', 1); export const some: WsTestClient = tester; export { answer };`,
  `export class Own extends WebSocketService {
     override broadcast(message: WebSocketMessage): Promise<void> { return super.broadcast(message); }
   }`,
  `export class Rooms {
     @WsSubscriber({ channel: 'rooms' })
     told({ webSocketServer }: WebSocketSubscriberHandlerContext<string, Chat>): void {
       webSocketServer.broadcastToRoom({ roomName: 'tea', data: { event: 'plain', data: 1 } });
     }
   }`,
];

/** Methods under a route of the contract, each in a class of its own. */
const GOOD_METHODS = [
  `@ChatRoute('chat', 'send') a(@MessageBody() { text }: { text: string }): { sent: boolean } { return { sent: text === '' }; }`,
  `@ChatRoute('chat', 'send') async a(@ConnectedSocket() of: WsClient<Chat>, @MessageBody() data: unknown): Promise<{ sent: boolean }> {
     return { sent: of.send(String(data)) }; }`,
  `@ChatRoute('chat', 'send') a(@MessageBody('text') text: string, @WsClientId() id: string, @WsUser() user: WsUserInfo | null): { sent: boolean } {
     return { sent: text + id === user?.userId }; }`,
  `@ChatRoute('chat', 'send') a(): Observable<{ sent: boolean }> { return of({ sent: true }); }`,
  `@ChatRoute('chat', 'send') a(@Ack() ack: (reply: { sent: boolean }) => void): void { ack({ sent: true }); }`,
  `@ChatRoute('chat', 'send') a(): never { throw new Error('no'); }`,
  `@ChatRoute('chat', 'typing') async a(@ConnectedSocket() of: WsClient): Promise<void> { of.leave('tea'); }`,
  `@ChatRoute('chat', 'typing') a(@WsParam() params: WsRequestParams, @WsQuery() query: WsRequestQuery, @WsQuery('a') a?: string): void {
     void [params, query, a]; }`,
  `@ChatRoute('chat', 'history') async *a(@MessageBody() { room }: { room: string }): AsyncGenerator<{ text: string }> { yield { text: room }; }`,
  `@ChatRoute('chat', 'history') a(of: WsClient, { room }: RouteData<Chat, 'chat', 'history'>): Promise<Observable<{ text: string }>> {
     throw new Error(of.clientId + room); }`,
  `@FromServer('chat', 'message') a(@MessageBody() { from }: { from: string }): void { from.trim(); }`,
  `@FromServer('room', 'memberJoined') a(@MessageBody('roomName') name: string): void { name.trim(); }`,
  `@FromServer('user', 'confirm') a(@MessageBody() { question }: { question: string }): boolean { return question === ''; }`,
  `@WsRoute('any', 'thing') a(data: number): number { return data; }`,
].map((method) => `export class Gateway { ${method} }`);

const BAD_METHODS = (
  [
    [`@ChatRoute('chat', 'sned') a(): void {}`, `'sned'`, `"send" | "typing" | "history" | "find"`],
    [
      `@ChatRoute('chat', 'send') a(@MessageBody() data: { text: number }): { sent: boolean } { return { sent: !data }; }`,
      `ChatRoute('chat', 'send')`,
      `Types of property 'text' are incompatible. `,
    ],
    [
      `@ChatRoute('chat', 'send') a(of: WsClient, @MessageBody() data: { txt: string }): { sent: boolean } { return { sent: of.send(data.txt) }; }`,
      `ChatRoute('chat', 'send')`,
      `'txt' is missing`,
    ],
    [
      `@ChatRoute('chat', 'send') a(@MessageBody('text') text: number): { sent: boolean } { return { sent: !text }; }`,
      `ChatRoute('chat', 'send')`,
      `'text' and 'text' are incompatible`,
    ],
    [
      `@ChatRoute('chat', 'typing') a(@MessageBody() data: { on: boolean }): void { data.on; }`,
      `ChatRoute('chat', 'typing')`,
      `'undefined' is not assignable to type '{ on: boolean; }'`,
    ],
    [
      `@ChatRoute('chat', 'send') a(): { sent: string } { return { sent: '' }; }`,
      `ChatRoute('chat', 'send')`,
      `Type 'string' is not assignable to type 'boolean'`,
    ],
    [
      `@ChatRoute('chat', 'send') async a(): Promise<{ sent: string }> { return { sent: '' }; }`,
      `ChatRoute('chat', 'send')`,
      `Types of property 'sent' are incompatible. `,
    ],
    [
      `@ChatRoute('chat', 'send') a(): void {}`,
      `ChatRoute('chat', 'send')`,
      `Type 'void' is not assignable to type '{ sent: boolean; }'`,
    ],
    [
      `@ChatRoute('chat', 'history') a(): { text: string } { return { text: '' }; }`,
      `ChatRoute('chat', 'history')`,
      `required in type 'AsyncIterable<{ text: string; }>'`,
    ],
    [`@FromServer('chat', 'mesage') a(): void {}`, `'mesage'`, `"message" | "cleared"`],
    [
      `@FromServer('chat', 'message') a(@MessageBody() data: { from: number }): void { data.from; }`,
      `FromServer('chat', 'message')`,
      `Types of property 'from' are incompatible. `,
    ],
    [
      `@FromServer('user', 'confirm') a(): string { return ''; }`,
      `FromServer('user', 'confirm')`,
      `Type 'string' is not assignable to type 'boolean'`,
    ],
    [`@WsRoute<Chat>('chat', 'send') a(): void {}`, `'chat', 'send'`, 'Expected 0 arguments'],
  ] as const
).map(([method, at, message]): [string, string, string] => [`export class Gateway { ${method} }`, at, message]);

const BAD_OF_SERVERS: [snippet: string, at: string, message: string][] = [
  [
    `await sockets.broadcast({ type: 'chats', action: 'message', data: { from: '', text: '' } });`,
    'type',
    `"chat" | "user" | "event"`,
  ],
  [`await sockets.broadcast({ type: 'chat', action: 'mesage' });`, 'action', `Did you mean '"message"'`],
  [
    `await sockets.broadcast({ type: 'chat', action: 'message', data: { from: 5, text: '' } });`,
    'from',
    `'number' is not assignable to type 'string'`,
  ],
  [`await sockets.broadcast({ type: 'chat', action: 'message', data: { from: '' } });`, 'data', `'text' is missing`],
  [`await sockets.broadcast({ event: 'plain', data: 'one' });`, 'data', `'string' is not assignable to type 'number'`],
  [`await sockets.sendToRooms(['tea'], { event: 'chat:mesage' });`, 'event', `Did you mean '"chat:message"'`],
  [`await sockets.sendToRooms('tea', { event: 'plain', data: 1 });`, `'tea'`, `'readonly string[]'`],
  [
    `await sockets.broadcast({ event: 'plain', data: 1 }, { exclude: { user: ['a'] } });`,
    'user',
    `'user' does not exist`,
  ],
  [`await sockets.broadcast({ event: 'plain', data: 1 }, { exclude: 'c' });`, 'exclude', `'string' is not assignable`],
  [`await sockets.broadcast({ event: 'plain', data: 1 }, { where: ['near'] });`, 'where', `'where' does not exist`],
  [
    `await sockets.broadcast({ event: 'plain', data: 1 }, { namespace: 'acme' });`,
    'namespace',
    `does not exist in type 'WsSendOptions'`,
  ],
  [
    `await sockets.sendToRooms(['tea'], { event: 'plain', data: 1 }, { where: 'near' });`,
    'where',
    `[name: string, args?: unknown]'`,
  ],
  [
    `await sockets.sendToClients(['c'], { event: 'plain', data: 1 }, { idempotencyKey: '7' });`,
    'idempotencyKey',
    `does not exist in type 'WsSendOptions'`,
  ],
  [
    `const { message } = (await sockets.getHistory('tea')).messages[0]!; message.action === 'mesage';`,
    `message.action === 'mesage'`,
    'no overlap',
  ],
  [`await sockets.sendToUsers([1], { event: 'plain', data: '' });`, 'data', `'string' is not assignable`],
  [`await sockets.sendToClients(['c'], { event: 'plain', data: '' });`, 'data', `'string' is not assignable`],
  [`await sockets.send({ payload: { topic: 'plains', data: 1 } });`, 'topic', `Did you mean '"plain"'`],
  [`await sockets.send({ payload: { topic: 'plain', data: '' } });`, 'data', `'string' is not assignable`],
  [`await sockets.sendUserMessage('renamd', { name: '' });`, `'renamd'`, `'"renamed"'`],
  [`await sockets.sendUserMessage('renamed', { name: 5 });`, 'name', `'number' is not assignable to type 'string'`],
  [`await sockets.sendSystemMessage('restart', 1);`, `'restart'`, `type 'never'`],
  [`server.sendMessageToAll({ data: { type: 'chat', action: 'mesage' } });`, 'action', `Did you mean '"message"'`],
  [`server.broadcastToAllClients({ data: { event: 'plain', data: '' } });`, 'data', `'string' is not assignable`],
  [
    `server.local.broadcastToRoom({ roomName: '', data: { event: 'plain', data: '' } });`,
    'data',
    `'string' is not assignable`,
  ],
  [`server.broadcastToUsers({ userIds: [1], data: { event: 'plains' } });`, 'event', `Did you mean '"plain"'`],
  [`server.broadcastToClient({ clientId: '', data: { event: 'plains' } });`, 'event', `Did you mean '"plain"'`],
  [`server.sendClientMessage(client, { event: 'plain', data: '' });`, 'data', `'string' is not assignable`],
  [`await emitter.toClient({ clientId: '', event: 'plains' });`, 'event', `Did you mean '"plain"'`],
  [`await emitter.toUser({ userId: 1, event: 'plain', data: '' });`, 'data', `'string' is not assignable`],
  [
    `await emitter.toRoom({ room: '', type: 'chat', action: 'message', data: { from: 5, text: '' } });`,
    'from',
    `'number' is not assignable`,
  ],
  [`await emitter.broadcast({ type: 'chat', action: 'mesage' });`, 'action', `Did you mean '"message"'`],
  [`client.send({ type: 'chat', action: 'mesage' });`, 'action', `Did you mean '"message"'`],
  [`client.send({ type: 'chat', action: 'message', data: { from: '', text: 5 } });`, 'text', `'number' is not`],
  [`client.emit('plains', 1);`, `'plains'`, 'not assignable to parameter'],
  [`client.emit('plain', '');`, `''`, `'string' is not assignable to parameter of type 'number'`],
  [`await client.call({ type: 'user', action: 'confrm' });`, 'action', `'"confirm"'`],
  [`await client.call({ type: 'user', action: 'confirm', data: { question: 5 } });`, 'question', `'number' is not`],
  [`const answer: string = await client.call({ event: 'ask' }); export { answer };`, 'answer', `'number' is not`],
  [`await tester.request('chat', 'sned');`, `'sned'`, `"send" | "typing" | "find"`],
  [`await tester.request('chat', 'send', { text: 5 });`, 'text', `'number' is not`],
  [`tester.send({ type: 'chat', action: 'send', data: { text: 5 } });`, 'text', `'number' is not`],
  [`tester.send({ type: 'chat', action: 'sned' });`, 'action', `"send" | "typing" | "history" | "find"`],
  [`await tester.call('chats', 'send', { text: '' });`, `'chats'`, `"chat" | "user"`],
  [`client.user?.payload.nam;`, 'nam', `Did you mean 'name'`],
  [`client.metadata.them = 'dark';`, 'them', `Did you mean 'theme'`],
  [`client.metadata.theme = 'blue';`, 'client.metadata.theme', `'"blue"' is not assignable`],
];

/** What the compiler points at, and what it says. */
const BAD: [snippet: string, at: string, message: string][] = [
  [`await chat.request('chat', 'sned', { text: '' });`, `'sned'`, `"send" | "typing" | "find"'`],
  [`await chat.request('chats', 'send', { text: '' });`, `'chats'`, `"chat" | "user"'`],
  [`await chat.request('chat', 'send', { text: 5 });`, 'text', `'number' is not assignable to type 'string'`],
  [`await chat.request('chat', 'send', { txt: '' });`, 'txt', `'txt' does not exist`],
  [`await chat.request('chat', 'send', {});`, '{}', `'text' is missing`],
  [`await chat.request('chat', 'send');`, 'request', 'Expected 3-4 arguments'],
  [`await chat.request('chat', 'typing', 5);`, '5', `not assignable to parameter of type 'undefined'`],
  [`await chat.request('chat', 'find', { text: 5 });`, 'text', `'number' is not assignable to type 'string'`],
  [`await chat.request('chat', 'find', undefined, { timout: 5 });`, 'timout', `'timout' does not exist`],
  [`const { got } = await chat.request('chat', 'send', { text: '' }); export { got };`, 'got', `'got' does not exist`],
  [`await chat.request('chat', 'history', { room: 'tea' });`, `'history'`, `"send" | "typing" | "find"'`],
  [`chat.stream('chat', 'send', { text: '' });`, `'send'`, `not assignable to parameter of type '"history"'`],
  [`chat.stream('chat', 'history', { room: 5 });`, 'room', `'number' is not assignable to type 'string'`],
  [
    `for await (const { nothing } of chat.stream('chat', 'history', { room: 'tea' })) nothing;`,
    'nothing',
    `'nothing' does not exist`,
  ],
  [`chat.send('chat', 'sned', { text: '' });`, `'sned'`, `"send" | "typing" | "history" | "find"'`],
  [`chat.send('chat', 'send', { txt: '' });`, 'txt', `'txt' does not exist`],
  [`chat.on('chats', 'message', () => 1);`, `'chats'`, `not assignable to parameter of type 'PushType<Chat>'`],
  [`chat.on('chat', 'mesage', () => 1);`, `'mesage'`, `"message" | "cleared"'`],
  [`chat.on('room', 'memberGone', () => 1);`, `'memberGone'`, `"memberJoined" | "memberLeft" | "lost"`],
  [`chat.on('chat', 'message', ({ nobody }) => nobody);`, 'nobody', `'nobody' does not exist`],
  [`chat.handle('user', 'confrm', () => true);`, `'confrm'`, `'"confirm"'`],
  [`chat.handle('user', 'confirm', () => 'yes');`, `'yes'`, `'string' is not assignable to type 'boolean`],
  [`chat.handle('user', 'confirm', async () => 'yes');`, `'yes'`, `'string' is not assignable to type 'boolean`],
  [`chat.handle('user', 'confirm', ({ answer }) => answer);`, 'answer', `'answer' does not exist`],
  [
    `await schemed.request('chat', 'send', { text: 5, at: '' });`,
    'text',
    `'number' is not assignable to type 'string'`,
  ],
  [
    `const text: string = await untyped.request('any', 'thing'); export { text };`,
    'text',
    `'unknown' is not assignable to type 'string'`,
  ],
  [
    `untyped.on('any', 'thing', (data: string) => data);`,
    '(data: string) => data',
    `'unknown' is not assignable to type 'string'`,
  ],
  [`export let data: PushData<Chat, 'chat', 'mesage'>;`, `'mesage'`, `"message" | "cleared"'`],
  [`export let data: RouteData<Chat, 'chat', 'sned'>;`, `'sned'`, `"send" | "typing" | "history" | "find"'`],
  [`export let reply: RouteReply<Chat, 'chats', 'send'>;`, `'chats'`, `"chat" | "user"'`],
  [`export let data: CallData<Chat, 'user', 'confrm'>;`, `'confrm'`, `'"confirm"'`],
  [hooks('react', `usePush('chat', 'mesage', () => 1)`), `'mesage'`, `"message" | "cleared"'`],
  [hooks('react', `usePush('chat', 'message', ({ nobody }) => nobody)`), 'nobody', `'nobody' does not exist`],
  [hooks('react', `useRequest('chat', 'send', { txt: '' })`), 'txt', `'txt' does not exist`],
  [hooks('react', `useSocketClient({ url: '/ws', prtocol: 'pxl' })`), 'prtocol', `'prtocol' does not exist`],
  [hooks('vue', `usePush('chat', 'mesage', () => 1)`), `'mesage'`, `"message" | "cleared"'`],
  [hooks('vue', `usePush('chat', 'message', ({ nobody }) => nobody)`), 'nobody', `'nobody' does not exist`],
  [hooks('vue', `useRequest('chat', 'send', { txt: '' })`), 'txt', `'txt' does not exist`],
  [hooks('vue', `useSocketClient({ url: '/ws', prtocol: 'pxl' })`), 'prtocol', `'prtocol' does not exist`],
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

function hooks(framework: string, call: string): string {
  return `import { createSocketHooks } from 'nestjs-pxl-websocket/${framework}'; createSocketHooks<Chat>().${call};`;
}

function use(from: string): string {
  return `${from}
    import { WebSocketClient } from 'nestjs-pxl-websocket/client';
    export const client = new WebSocketClient({ url: '/ws', webSocket: WebSocket });`;
}

const ALL_GOOD = [...GOOD, ...GOOD_OF_SERVERS, ...GOOD_METHODS];
const ALL_BAD = [...BAD, ...BAD_OF_SERVERS, ...BAD_METHODS];
const SNIPPETS = [...ALL_GOOD, ...ALL_BAD.map(([snippet]) => snippet)].map((snippet) => IMPORTS.join('') + snippet);
const errors = new Map<string, TypeError[][]>();

describe.each(Object.entries(COMPILERS))('a contract, to %s', (name, compiler) => {
  beforeAll(() => {
    const snippets = [...SNIPPETS, ...Object.values(SOCKETS)].map((text, at) => [`snippet-${at}.ts`, text] as const);
    const [ofContract, ...found] = fileErrors(new Map([['contract.ts', CONTRACT], ...snippets]), compiler).values();
    expect(ofContract).toEqual([]);
    errors.set(name, found);
  }, 60_000);

  it.each(ALL_GOOD.map((snippet, index) => [snippet, index] as const))('lets pass: %s', (_snippet, index) => {
    expect(errors.get(name)?.[index]).toEqual([]);
  });

  it.each(ALL_BAD.map(([snippet, at, message], index) => [snippet, at, message, ALL_GOOD.length + index] as const))(
    'finds the mistake in: %s',
    (_snippet, at, message, index) => {
      expect(errors.get(name)?.[index]).toEqual([{ line: LINE, at, message: expect.stringContaining(message) }]);
    },
  );
});

describe('the class of sockets', () => {
  it.each(Object.keys(SOCKETS).map((name, index) => [name, SNIPPETS.length + index] as const))(
    'may be %s',
    (_name, index) => {
      for (const found of errors.values()) expect(found[index]).toEqual([]);
    },
  );

  it('may be that of a page, where there is no Node', () => {
    const options = { lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'], types: [] };
    expect(typeErrorsOf([use('')], options)).toEqual([[]]);
  });
});
