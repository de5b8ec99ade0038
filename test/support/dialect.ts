/** What the messages of a codec look like, right and wrong, and which of the server's frames are answers. */
export interface Dialect {
  readonly path: string;
  /** The fields of an object that name a route. */
  names(type: string, action: string): string;
  /** Such fields of the library's own requests; `answered` are those that are answered without an id too. */
  readonly builtIn: readonly string[];
  readonly answered: readonly string[];
  /** Fields that name nothing, or nothing that there is. */
  wrongNames(one: string, other: string): string[];
  isAnswer(frame: Readonly<Record<string, unknown>>): boolean;
}

export const PROTOTYPE_NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];
const ACTIONS = [
  ...['joinRoom', 'leaveRoom', 'recover', 'history', 'ping', 'pong', 'cancel', 'answer'],
  ...['clientList', 'authenticate', 'refresh', 'members', 'presence', 'whisper'],
];
/** Those of them that are answered without an id too. */
const ANSWERED = ['joinRoom', 'leaveRoom', 'recover', 'history', 'ping', 'members', 'presence', 'unknown'];
const EVENTS = ['authenticate', 'join', 'leave', 'heartbeat', 'connected', 'error', 'encrypted'];

const pair = (type: string, action: string): string => `"type":"${type}","action":"${action}"`;
const event = (name: string): string => `"event":"${name}"`;
const system = (action: string): string => event(`system:${action}`);

export const PXL: Dialect = {
  path: '/ws',
  names: pair,
  builtIn: [...ACTIONS, 'join', 'leave', 'heartbeat', 'unknown'].map((action) => pair('system', action)),
  answered: [...ANSWERED, 'clientList', ...PROTOTYPE_NAMES].map((action) => pair('system', action)),
  wrongNames: (one, other) => [
    `"type":${one},"action":${other}`,
    `"type":"test","action":${other}`,
    `"type":${one},"action":"echo"`,
    `"event":${one},"data":${other}`,
    `"data":${one}`,
    `"__proto__":{"type":"test","action":"echo"}`,
  ],
  isAnswer: ({ type, action, ...frame }) =>
    (type === 'error' && action === 'message') || Object.hasOwn(frame, 'response'),
};

const PUSHES: readonly unknown[] = ['connected', 'system:clientList', 'user:leftRoom', 'test:note'];

export const EVENT: Dialect = {
  path: '/events',
  names: (type, action) => event(`${type}:${action}`),
  builtIn: [...EVENTS.map(event), ...[...ACTIONS, 'unknown'].map(system)],
  answered: [...[...ANSWERED, ...PROTOTYPE_NAMES].map(system), event('error')],
  wrongNames: (one, other) => [
    `"event":${one},"data":${other}`,
    `"event":[${one}]`,
    `"event":":"`,
    `"data":${one}`,
    `"type":"test","action":${other}`,
    `"__proto__":{"event":"test:echo"}`,
  ],
  isAnswer: (frame) =>
    Object.hasOwn(frame, 'id') || (!PUSHES.includes(frame.event) && !/^(room|whisper):/.test(String(frame.event))),
};
