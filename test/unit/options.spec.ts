import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import type { PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { WebSocket } from 'ws';
import { resolveClientOptions } from '../../lib/client/options/client-options.js';
import { resolveConsole } from '../../lib/console/console.options.js';
import { resolveClientModuleOptions } from '../../lib/client-module/client-module.options.js';
import { resolveOptions } from '../../lib/pxl-websocket.module-options.js';
import { defaultsInComments, defaultsInTable, IN_WORDS } from '../support/option-docs.js';

/** Options as a JavaScript user may give them. */
function resolve(given: unknown): ReturnType<typeof resolveOptions> {
  return resolveOptions(given as PxlWebSocketModuleOptions);
}

describe('the defaults', () => {
  const defaults = resolve({});

  it('let clients neither join rooms nor see each other, and disconnect nobody who is silent', () => {
    expect(defaults.rooms).toMatchObject({
      clientCanJoinMultipleRooms: true,
      open: false,
      announce: false,
      named: false,
      defaults: [],
    });
    expect(defaults.clientList).toEqual({ enabled: false, fields: ['clientId', 'userId', 'username', 'rooms'] });
    expect(defaults.disconnectInactiveClients).toEqual({
      enabled: false,
      inactiveTime: 300_000,
      intervalCheckTime: 60_000,
      log: false,
    });
  });

  it('bound what a client can make the server keep', () => {
    expect(defaults.limits).toMatchObject({
      maxPayload: 65_536,
      roomsPerClient: 128,
      roomName: 128,
      metadataBytes: 4_096,
      streamsPerClient: 32,
    });
    expect(defaults.inbound).toEqual({ concurrency: 1, queue: 64, binary: false });
  });

  it('of compression lie under what is given', () => {
    const noTakeover = { serverNoContextTakeover: true, clientNoContextTakeover: true };
    expect(defaults.compression).toBe(false);
    expect(resolve({ compression: true }).compression).toMatchObject({ ...noTakeover, threshold: 1_024 });
    const given = { threshold: 9, serverNoContextTakeover: undefined };
    expect(resolve({ compression: given }).compression).toMatchObject({ ...noTakeover, ...given });
  });

  it('hold where an option is given as undefined', () => {
    const given = { path: undefined, rooms: undefined, clientList: { fields: undefined } };
    expect(resolve(given)).toEqual(defaults);
  });
});

describe('the defaults in documents', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const places = ['lib/pxl-websocket.module-options.ts', 'lib/options'];
  const commented = defaultsInComments(root, 'PxlWebSocketModuleOptions', places);
  const listed = defaultsInTable(readFileSync(`${root}docs/options.md`, 'utf8'), 'The server');
  // Not an option of ours: Nest's builder of modules has it.
  listed.delete('isGlobal');
  const redis = { cluster: [{ host: '127.0.0.1', port: 1 }] };
  const given = {
    redis,
    auth: { jwt: { secret: 'a secret of at least thirty-two characters' } },
    encryption: true,
    limits: { connectionsPerUser: { max: 1 } },
    webhooks: {
      endpoints: [{ url: 'https://a.example', events: ['userConnected'], secret: `whsec_${'A'.repeat(32)}` }],
    },
  };
  /** In place of the option's own path, where what was resolved has another one. */
  const elsewhere: Readonly<Record<string, string>> = {
    'auth.jwt.claims.userId': 'auth.claims.userId',
    'auth.jwt.claims.userType': 'auth.claims.userType',
    'cluster.secret': 'cluster.secrets',
    encryption: 'outbound.encryption',
    'encryption.batchLimit': 'outbound.batchLimit',
    'encryption.handshake': 'outbound.encryption.handshake',
    'encryption.open': 'outbound.encryption.open',
    'encryption.required': 'outbound.encryption.required',
    'encryption.transform': 'outbound.encryption.transform',
    outboundTransformer: 'outbound.outboundTransformer',
    'redis.sharded': 'redis.isSharded',
  };
  /** The options that are resolved only where their group, or what they belong to, was given. */
  const needsGiven = /^(?:redis|auth|encryption|limits\.connectionsPerUser|webhooks)\./;
  const history = resolve({ rooms: { history: { size: 1, ttl: 1_000 } } }).rooms.history!;
  const presence = resolve({ rooms: { presence: true } }).rooms.presence!.of('tea');
  /** What is resolved to another form than it was given in. */
  const ofRooms: Readonly<Record<string, unknown>> = {
    'rooms.history.metaTtl': history.of('tea')?.metaTtl,
    'rooms.history.replay.bytes': history.replayBytes,
    'rooms.history.failover': history.seesFailover ? 'epoch' : 'ignore',
    'rooms.presence.by': presence?.by,
    'rooms.presence.grace': presence?.grace,
    'rooms.presence.limit': presence?.limit,
    'rooms.presence.interval': presence?.interval,
  };
  const inCode = (path: string, protocol: 'pxl' | 'event'): unknown => {
    if (path in ofRooms) return ofRooms[path];
    const resolved: unknown = resolve({ protocol, ...(needsGiven.test(path) ? given : {}) });
    const names = (elsewhere[path] ?? path).split('.');
    const value = names.reduce((group, name) => (group as Record<string, unknown> | undefined)?.[name], resolved);
    // Null stands for a feature that `false` switches off.
    return value === null ? false : value;
  };

  it('are told of each option in both places', () => {
    const inPage = [...listed.keys()].filter((path) => !commented.has(path));
    expect(inPage).toEqual([]);
    const groups = ['rooms', 'clientList', 'disconnectInactiveClients', 'limits', 'inbound', 'timeouts', 'routing'];
    groups.push(
      'metrics',
      'tracing',
      'delivery',
      'cluster',
      'heartbeat',
      'upgrade',
      'shutdown',
      'debug',
      'auth.jwt.claims',
      'rooms.history.replay',
    );
    const ofRedis = ['cluster', 'options', 'sharded'].map((part) => `webhooks.queue.redis.${part}`);
    const parts = ['redis.cluster', 'redis.options', 'limits.connectionsPerUser.max', ...ofRedis];
    const inCode = [...commented.keys()].filter((path) => ![...groups, ...parts].includes(path));
    expect(inCode.filter((path) => !listed.has(path))).toEqual([]);
  });

  it.each([...listed])('of %s is the one that the code has', (path, row) => {
    const comment = commented.get(path);
    const usual = inCode(path, 'pxl');
    const event = path === 'protocol' ? usual : inCode(path, 'event');
    const isNothing = usual === undefined || (isEmpty(usual) && row.usual === IN_WORDS);
    const isComputed = [
      'limits.burst',
      'auth',
      'auth.jwt',
      'auth.jwt.secret',
      'auth.jwt.algorithms',
      'events',
      'webhooks.endpoints',
    ].includes(path);
    const written = isNothing || isComputed ? { usual: IN_WORDS } : { usual, ...(same(usual, event) ? {} : { event }) };
    expect(row).toEqual(written);
    expect(comment ?? { usual: IN_WORDS }).toEqual(written);
  });

  function isEmpty(value: unknown): boolean {
    return (Array.isArray(value) && value.length === 0) || (value instanceof Map && value.size === 0);
  }

  function same(one: unknown, other: unknown): boolean {
    return JSON.stringify(one) === JSON.stringify(other);
  }
});

describe('the defaults in documents, of other parts', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const page = readFileSync(`${root}docs/options.md`, 'utf8');
  const url = 'ws://localhost/ws';
  const client = resolveClientOptions({ url, webSocket: WebSocket });
  const parts: readonly [
    section: string,
    interfaceName: string,
    file: string,
    resolved: object,
    unresolved: string[],
  ][] = [
    // Of these the code asks only whether they are the other value.
    [
      'The client',
      'WebSocketClientOptions',
      'lib/client/options/client-options.interface.ts',
      { ...client, url: undefined, protocol: client.codec.name.replace('.v1', '') },
      ['pageLifecycle', 'queue.policy'],
    ],
    [
      'A Nest app as a client',
      'PxlWebSocketClientModuleOptions',
      'lib/client-module/client-module-options.interface.ts',
      resolveClientModuleOptions({ url }),
      [],
    ],
    [
      'The console',
      'PxlWebSocketConsoleOptions',
      'lib/console/console.options.ts',
      resolveConsole({ guard: { canActivate: () => true } }),
      [],
    ],
    [
      'The emitter',
      'WebSocketEmitterOptions',
      'lib/emitter/websocket-emitter.ts',
      { prefix: resolve({}).prefix, identifier: 'WebSocketEmitter', cluster: { ignis: false }, tracing: true },
      [],
    ],
  ];
  const rows = parts.flatMap(([section, interfaceName, file, resolved, unresolved]) => {
    const commented = defaultsInComments(root, interfaceName, [file]);
    return [...defaultsInTable(page, section)].map(
      ([path, row]) =>
        [section, path, row, commented.get(path), valueAt(resolved, path), unresolved.includes(path)] as const,
    );
  });

  it.each(rows)('%s: of %s is the same everywhere', (_section, _path, row, comment, inCode, isUnresolved) => {
    const { usual } = comment ?? { usual: IN_WORDS };
    // Nest's builder of modules has `name` and `isGlobal`, and a group's comment may tell of its parts.
    if (comment) expect(row.usual).toEqual(usual);
    const isLiteral = typeof inCode !== 'object' && typeof inCode !== 'function' && inCode !== Infinity;
    if (isLiteral && !isUnresolved && inCode !== undefined) expect(row.usual).toEqual(inCode);
  });

  function valueAt(resolved: object, path: string): unknown {
    return path
      .split('.')
      .reduce<unknown>((group, name) => (group as Record<string, unknown> | undefined)?.[name], resolved);
  }
});

describe('resolved options', () => {
  it('cannot be changed, and do not follow what was given', () => {
    const given = { rooms: { defaults: ['lobby'] }, clientList: { fields: ['clientId'] } };
    const options = resolve(given);
    given.rooms.defaults.push('more');
    given.clientList.fields.push('userId');
    expect(options.rooms.defaults).toEqual(['lobby']);
    expect(options.clientList.fields).toEqual(['clientId']);
    for (const frozen of [options, options.rooms, options.rooms.defaults, options.clientList.fields, options.limits]) {
      expect(Object.isFrozen(frozen)).toBe(true);
    }
  });

  it('take limits as false where they can be switched off', () => {
    const limits = { roomsPerClient: false, roomName: false, metadataBytes: false, streamsPerClient: false };
    expect(resolve({ limits }).limits).toMatchObject(limits);
  });

  it('take rooms.own where the limits leave room for it, of one endpoint or of all', () => {
    const own = { own: true, defaults: ['tea'] };
    const { rooms } = resolve({ protocol: 'event', rooms: own, limits: { roomsPerClient: 2, roomName: 25 } });
    expect(rooms.own).toBe(true);
    const { endpoints } = resolve({ endpoints: { '/events': { protocol: 'event', rooms: { own: true } } } });
    expect(endpoints.get('/events')?.rooms.own).toBe(true);
  });

  it('take default rooms that fit the limits exactly, or that no limit counts', () => {
    const rooms = { defaults: ['tea', 'lobby', 'tea'] };
    for (const limits of [
      { roomName: 5, roomsPerClient: 2 },
      { roomName: false, roomsPerClient: false },
    ]) {
      expect(resolve({ rooms, limits }).rooms.defaults).toEqual(rooms.defaults);
    }
    const oneRoom = { ...rooms, clientCanJoinMultipleRooms: false };
    expect(resolve({ rooms: oneRoom, limits: { roomsPerClient: 1 } }).rooms.defaults).toEqual(rooms.defaults);
  });

  it('allow claims and metadata in the client list only by name', () => {
    const fields = ['userType', 'roomName', 'user.payload.name', 'metadata.status.text'];
    expect(resolve({ clientList: { fields } }).clientList.fields).toEqual(fields);
  });
});

describe('a bad option is refused in one sentence', () => {
  it.each<[unknown, string]>([
    [{ path: 'ws' }, `The option path is a path like '/ws' or '/ws/:tenant', without a query, not "ws".`],
    [{ rooms: true }, 'The option rooms is an object, not true.'],
    [{ rooms: { open: 'yes' } }, 'The option rooms.open is true or false, not a text.'],
    [{ rooms: { defaults: 'lobby' } }, 'The option rooms.defaults is a list of texts, not a text.'],
    [
      { rooms: { defaults: ['tea', ''] } },
      'The option rooms.defaults[1] is a text that is not empty, not an empty text.',
    ],
    [
      { protocol: 'events' },
      "The option protocol is 'pxl' or 'event', not a text that is none of them: did you mean 'event'?",
    ],
    [{ protocol: 7 }, "The option protocol is 'pxl' or 'event', not 7."],
    [
      { heartbeat: { interval: 15 } },
      'The option heartbeat.interval is a whole number of milliseconds from 100 to 2147483647, not 15: did you mean 15000?',
    ],
    [
      { heartbeat: { timeout: 10 } },
      'The option heartbeat.timeout is a whole number of milliseconds from 100 to 2147483647, not 10: did you mean 10000?',
    ],
    [
      { cluster: { lease: 10 } },
      'The option cluster.lease is a whole number of milliseconds from 100 to 2147483647, not 10: did you mean 10000?',
    ],
    [
      { trustProxy: ['10.0.0.0/8', '10.0.0.0/33'] },
      'The option trustProxy[1] is an address or a range like \'10.0.0.0/8\', not "10.0.0.0/33".',
    ],
    [
      { auth: { authenticate: () => null, tokenFrom: ['header', 'cookies'] } },
      "The option auth.tokenFrom[1] is of header, protocol, cookie, query, not a text that is none of them: did you mean 'cookie'?",
    ],
    [
      { auth: { jwt: { secret: '' } } },
      'The option auth.jwt.secret is a text or a Buffer that is not empty, not an empty one: is the environment variable set that it comes from?',
    ],
    [
      { auth: { jwt: { secret: undefined } } },
      'The option auth.jwt.secret is given, or else publicKey, or secretOrKeyProvider: exactly one of them, not undefined: is the environment variable set that it comes from?',
    ],
    [
      { rooms: { defaults: ['tea', 'lobby'] }, limits: { roomName: 4 } },
      'The option rooms.defaults is a list of names of at most limits.roomName (4) characters, not 5.',
    ],
    [
      { rooms: { defaults: ['tea', 'lobby'] }, limits: { roomsPerClient: 1 } },
      'The option rooms.defaults is a list of at most limits.roomsPerClient (1) rooms, not 2.',
    ],
    [
      { protocol: 'event', limits: { roomsPerClient: 1 } },
      'The option rooms.defaults is a list of at most limits.roomsPerClient (1) rooms, not 2.',
    ],
    [
      { protocol: 'event', rooms: { own: true }, limits: { roomsPerClient: 2 } },
      'The option rooms.defaults is a list of at most limits.roomsPerClient (2, and rooms.own takes one) rooms, not 2.',
    ],
    [
      { protocol: 'event', rooms: { own: true, defaults: [] }, limits: { roomName: 24 } },
      "The option limits.roomName is at least 25 where rooms.own is true, since clients' ids have so many characters, not 24.",
    ],
    [
      { cluster: { lastSeen: 60 } },
      'The option cluster.lastSeen is a whole number of milliseconds from 1000 to 315360000000, or false, not 60.',
    ],
    [{ cluster: { ignis: true } }, 'The option cluster.ignis is false, except where there is a redis, not true.'],
    [
      { redis: 'redis://localhost', cluster: { ignis: true, secret: [false, 'x'.repeat(32)] } },
      'The option cluster.ignis is false where there is a cluster.secret, since the channels of Ignis are not signed, so that whoever can publish to Redis could speak to all clients, not true.',
    ],
    [
      { redis: 'redis://localhost', cluster: { ignis: true }, prefix: 'ws' },
      "The option prefix is another one where cluster.ignis is true, since the channels of Ignis begin with it, not 'ws'.",
    ],
    [
      { redis: 'redis://localhost', cluster: { ignis: 'yes' } },
      'The option cluster.ignis is true or false, not a text.',
    ],
    [{ rooms: { own: true } }, "The option rooms.own is false, except where protocol is 'event', not true."],
    [
      { protocol: 'event', rooms: { own: true }, endpoints: { '/typed': { protocol: 'pxl' } } },
      'The option rooms.own is false, except where protocol is \'event\', not true. (in endpoints["/typed"])',
    ],
    [
      { rooms: { defaults: ['lobby'] }, endpoints: { '/admin': { limits: { roomName: 4 } } } },
      'The option rooms.defaults is a list of names of at most limits.roomName (4) characters, not 5. (in endpoints["/admin"])',
    ],
    [
      { limits: { roomName: 0 } },
      'The option limits.roomName is a whole number from 1 to 2147483647, or false, not 0.',
    ],
    [
      { limits: { metadataBytes: 1.5 } },
      'The option limits.metadataBytes is a whole number from 2 to 2147483647, or false, not 1.5.',
    ],
    [
      { disconnectInactiveClients: { inactiveTime: null } },
      'The option disconnectInactiveClients.inactiveTime is a whole number of milliseconds from 100 to 2147483647, not null.',
    ],
    [
      { disconnectInactiveClients: { intervalCheckTime: 2 ** 31 } },
      'The option disconnectInactiveClients.intervalCheckTime is a whole number of milliseconds from 100 to 2147483647, not 2147483648.',
    ],
    [{ encryption: 'yes' }, 'The option encryption is true, false or an object, not a text.'],
    [{ encryption: { required: 1 } }, 'The option encryption.required is true or false, not 1.'],
    [
      { encryption: { batchLimit: 0 } },
      'The option encryption.batchLimit is a whole number from 1 to 2147483647, not 0.',
    ],
    [{ outboundTransformer: true }, 'The option outboundTransformer is a function, not true.'],
    [{ clientList: { enabled: 1 } }, 'The option clientList.enabled is true or false, not 1.'],
    [{ clientList: { fields: 'clientId' } }, 'The option clientList.fields is a list of texts, not a text.'],
  ])('%j', (given, sentence) => {
    expect(() => resolve(given)).toThrow(new Error(sentence));
  });

  it.each<[string, object, string]>([
    [
      'an own handshake whose keys nothing would use',
      { handshake: () => null },
      'The option encryption.handshake is undefined without encryption.transform, not a function.',
    ],
    [
      'half a cipher',
      { open: () => null },
      'The option encryption.open is undefined without encryption.transform, not a function.',
    ],
    [
      'a requirement that nobody could meet',
      { transform: () => null, required: true },
      'The option encryption.required is false beside encryption.transform without encryption.handshake, not true.',
    ],
  ])('%s', (_what, encryption, sentence) => {
    expect(() => resolve({ encryption })).toThrow(new Error(sentence));
  });

  it.each(['user', 'user.payload', 'user.payload.', 'token', 'metadata', 'request.headers', '__proto__', 'ws'])(
    'a client list that would tell %s',
    (field) => {
      expect(() => resolve({ clientList: { fields: ['clientId', field] } })).toThrow(
        /^The option clientList\.fields\[1\] is of clientId, .+ user\.payload\.<claim> and metadata\.<key>, not a text/,
      );
    },
  );

  it.each<[object, string]>([
    [{ compression: { treshold: 9 } }, 'There is no option compression.treshold; did you mean threshold? There are'],
    [{ url: 'ws://localhost' }, 'There is no option url: here it is path, and where app.listen(port, host) listens.'],
    [{ routes: [] }, 'There is no option routes: here it is @WsRoute(type, action) on methods of gateways.'],
    [{ authenticateFn: () => null }, 'There is no option authenticateFn: here it is auth.authenticate.'],
    [{ room: {} }, 'There is no option room; did you mean rooms? There are protocol, enabled,'],
    [{ metrics: { registries: {} } }, 'There is no option metrics.registries; did you mean registry?'],
    [{ metrics: { port: 9100 } }, 'There is no option metrics.port; there is only registry.'],
    [
      { limits: { maxpayload: 1 } },
      'There is no option limits.maxpayload; did you mean maxPayload? There are maxPayload,',
    ],
    [
      { endpoints: { '/admin': { limit: {} } } },
      'There is no option endpoints["/admin"].limit; did you mean limits? There are protocol, auth,',
    ],
    [
      { endpoints: { '/admin': { auth: { authenticat: () => null } } } },
      'There is no option auth.authenticat; did you mean authenticate? There are',
    ],
    [
      { rooms: { multiple: true } },
      'There is no option rooms.multiple; did you mean clientCanJoinMultipleRooms? There are clientCanJoinMultipleRooms,',
    ],
    [{ encryption: { algorithm: 'AES' } }, 'There is no option encryption.algorithm; there are required, handshake,'],
    [{ clientList: { interval: 5 } }, 'There is no option clientList.interval; there are fields, enabled.'],
    [{ disconnectInactiveClients: { time: 5 } }, 'There is no option disconnectInactiveClients.time;'],
  ])('%j, which nobody reads', (given, sentence) => {
    expect(() => resolve(given)).toThrow(sentence);
  });
});

describe('an origin that no browser sends is refused with what to write', () => {
  it.each<[unknown, string]>([
    ['http://localhost:3000/', `"http://localhost:3000/": write 'http://localhost:3000', without the slash`],
    ['https://app.example.com/chat', `"https://app.example.com/chat": write 'https://app.example.com', without a path`],
    [
      'https://app.example.com:443',
      `"https://app.example.com:443": write 'https://app.example.com', without the default port`,
    ],
    ['https://APP.example.com', `"https://APP.example.com": write 'https://app.example.com'`],
    ['wss://app.example.com', `"wss://app.example.com": write 'https://app.example.com', the origin of the page`],
    ['localhost:3000', `"localhost:3000": write 'http://localhost:3000', with the scheme`],
    ['app.example.com', `"app.example.com": write 'https://app.example.com', with the scheme`],
    ['app://shell/', `"app://shell/": write 'app://shell', without the slash`],
    ['https://ada:s3cret@example.com', `a text: write 'https://example.com', without a name and a password`],
    ['https://*.example.com', `"https://*.example.com": give a function, origins: (origin) => boolean`],
    [/example/, 'a pattern: give a function, origins: (origin) => boolean'],
    ['*', "'*': write origins: '*', without a list"],
    ['', 'an empty text'],
    [7, '7'],
  ])('%s', (origin, end) => {
    const origins = ['https://example.com', origin];
    const sentence = `The option origins[1] is an origin as browsers send it, like 'https://app.example.com', not ${end}.`;
    expect(() => resolve({ origins })).toThrow(new Error(sentence));
  });

  it('a single one too', () => {
    const sentence =
      "The option origins is '*', a function, or a list of origins like 'https://app.example.com', not a text: write ['http://localhost:3000'].";
    expect(() => resolve({ origins: 'http://localhost:3000/' })).toThrow(new Error(sentence));
  });
});

describe('a class without its method is refused by its name', () => {
  class Passport {
    authentcate(): null {
      return null;
    }
  }
  class Property {
    readonly canActivate = (): boolean => true;
  }
  class Empty {
    readonly name = 'empty';
  }

  it.each<[unknown, string]>([
    [
      { auth: { authenticate: Passport } },
      'The option auth.authenticate is a function, or a class with a method authenticate, not the class Passport, which has no method authenticate; it has authentcate.',
    ],
    [
      { auth: { authenticate: [() => null, Empty] } },
      'The option auth.authenticate[1] is a function, or a class with a method authenticate, not the class Empty, which has no method authenticate (a property that holds a function is none).',
    ],
    [
      { connectionGuards: [Property] },
      'The option connectionGuards[0] is a guard: a class or an object with a method canActivate, not the class Property, which has no method canActivate (a property that holds a function is none).',
    ],
    [
      { rooms: { authorize: Empty } },
      'The option rooms.authorize is a function, or a class with a method authorize, not the class Empty, which has no method authorize (a property that holds a function is none).',
    ],
    [
      { broadcaster: () => undefined },
      'The option broadcaster is a class that implements WsBroadcaster, not a function.',
    ],
    [{ events: { onError: Empty } }, 'The option events.onError is a function, not the class Empty.'],
  ])('%j', (given, sentence) => {
    expect(() => resolve(given)).toThrow(new Error(sentence));
  });
});
