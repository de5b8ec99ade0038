import { describe, expect, it } from '@jest/globals';
import { PxlWebSocketModule, type PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import { failureOf } from '../support/failure-of.js';

describe('Bad options', () => {
  const cases: [string, unknown, string][] = [
    ['enabled', { enabled: 'yes' }, 'The option enabled is true or false, not a text.'],
    ['path', { path: 'ws' }, `The option path is a path like '/ws' or '/ws/:tenant', without a query, not "ws".`],
    [
      'path',
      { path: '/ws?a=1' },
      `The option path is a path like '/ws' or '/ws/:tenant', without a query, not "/ws?a=1": it has a query, or blanks.`,
    ],
    [
      'delivery.window',
      { delivery: { window: null } },
      'The option delivery.window is a whole number from 0 to 10000, or a function, not null.',
    ],
    [
      'delivery.maxWindow',
      { delivery: { maxWindow: 20_000 } },
      'The option delivery.maxWindow is a whole number from 0 to 10000, not 20000.',
    ],
    ['path', { path: 7 }, `The option path is a path like '/ws' or '/ws/:tenant', without a query, not 7.`],
    [
      'cluster.secret',
      { cluster: { secret: 's3cret' } },
      'The option cluster.secret is a text of at least 32 characters, or a list of two of them, of which one may be false, not one of 6 characters.',
    ],
    [
      'cluster.secret',
      { cluster: { secret: ['x'.repeat(32), 's3cret'] } },
      'The option cluster.secret is a text of at least 32 characters, or a list of two of them, of which one may be false, not one of 6 characters.',
    ],
    [
      'cluster.secret',
      { cluster: { secret: [] } },
      'The option cluster.secret is a text of at least 32 characters, or a list of two of them, of which one may be false, not a list.',
    ],
    [
      'cluster.secret',
      { cluster: { secret: [false] } },
      'The option cluster.secret is a text of at least 32 characters, or a list of two of them, of which one may be false, not a list.',
    ],
    [
      'cluster.secret',
      { cluster: { secret: Buffer.alloc(32) } },
      'The option cluster.secret is a text of at least 32 characters, or a list of two of them, of which one may be false, not an object.',
    ],
    [
      'cluster.secret',
      { broadcaster: Map, cluster: { secret: 'x'.repeat(32) } },
      'The option cluster.secret is left out where there is a broadcaster, which signs by itself, not given.',
    ],
    ['auth', { auth: 'my-secret' }, 'The option auth is an object, not a text.'],
    [
      'auth.authenticate',
      { auth: { authenticate: 's3cret' } },
      'The option auth.authenticate is a function, or a class with a method authenticate, not a text.',
    ],
    ['rooms', { rooms: [] }, 'The option rooms is an object, not a list.'],
    ['rooms.open', { rooms: { open: 1 } }, 'The option rooms.open is true or false, not 1.'],
    ['rooms.announce', { rooms: { announce: null } }, 'The option rooms.announce is true or false, not null.'],
    ['rooms.defaults', { rooms: { defaults: 'lobby' } }, 'The option rooms.defaults is a list of texts, not a text.'],
    [
      'rooms.defaults',
      { rooms: { defaults: [''] } },
      'The option rooms.defaults[0] is a text that is not empty, not an empty text.',
    ],
    ['heartbeat', { heartbeat: true }, 'The option heartbeat is an object or false, not true.'],
    ['heartbeat', { heartbeat: null }, 'The option heartbeat is an object or false, not null.'],
    [
      'heartbeat.interval',
      { heartbeat: { interval: 1.5 } },
      'The option heartbeat.interval is a whole number of milliseconds from 100 to 2147483647, not 1.5: did you mean 1500?',
    ],
    [
      'heartbeat.timeout',
      { heartbeat: { interval: 1_000, timeout: 2_000 } },
      'The option heartbeat.timeout is at most heartbeat.interval (1000), not 2000.',
    ],
    [
      'limits.maxPayload',
      { limits: { maxPayload: '64kb' } },
      'The option limits.maxPayload is a whole number from 1 to 2147483647, not a text.',
    ],
    [
      'limits.roomsPerClient',
      { limits: { roomsPerClient: 0 } },
      'The option limits.roomsPerClient is a whole number from 1 to 2147483647, or false, not 0.',
    ],
    [
      'limits.upgradeTimeout',
      { limits: { upgradeTimeout: true } },
      'The option limits.upgradeTimeout is a whole number from 1 to 2147483647, or false, not true.',
    ],
    [
      'inbound.concurrency',
      { inbound: { concurrency: NaN } },
      'The option inbound.concurrency is a whole number from 1 to 2147483647, not NaN.',
    ],
    [
      'timeouts.hook',
      { timeouts: { hook: 10_000_000_000 } },
      'The option timeouts.hook is a whole number from 1 to 2147483647, not 10000000000.',
    ],
    [
      'timeouts.handler',
      { timeouts: { handler: -1 } },
      'The option timeouts.handler is a whole number from 1 to 2147483647, or false, not -1.',
    ],
    [
      'shutdown.timeout',
      { shutdown: { timeout: Infinity } },
      'The option shutdown.timeout is a whole number from 0 to 2147483647, not Infinity.',
    ],
    [
      'compression',
      { compression: 'gzip' },
      'The option compression is true, false or the options of permessage-deflate, not a text.',
    ],
    [
      'events.onConnected',
      { events: { onConnected: {} } },
      'The option events.onConnected is a function, not an object.',
    ],
    [
      'routing.globalGuards',
      { routing: { globalGuards: 0 } },
      'The option routing.globalGuards is true or false, not 0.',
    ],
    ['debug', { debug: true }, 'The option debug is an object, not true.'],
    ['the options', [], 'The options of PxlWebSocketModule are an object, not a list.'],
    ['the options', undefined, 'The options of PxlWebSocketModule are an object, not undefined.'],
  ];

  it.each(cases)('%s: %j fails the start in one sentence', async (_name, options, sentence) => {
    const module = PxlWebSocketModule.forRootAsync({ useFactory: () => options as PxlWebSocketModuleOptions });
    expect(await failureOf({ options: false, imports: [module] })).toBe(sentence);
  });

  it.each([
    ['heartbeet', { heartbeet: false }],
    ['auth.autenticate', { auth: { autenticate: () => null } }],
    ['rooms.opened', { rooms: { opened: true } }],
    ['heartbeat.intervall', { heartbeat: { intervall: 1_000 } }],
    ['limits.maxPayLoad', { limits: { maxPayLoad: 1 } }],
    ['inbound.que', { inbound: { que: 1 } }],
    ['timeouts.hooks', { timeouts: { hooks: 1 } }],
    ['events.onConnect', { events: { onConnect: () => undefined } }],
    ['routing.guards', { routing: { guards: true } }],
    ['upgrade.timeout', { upgrade: { timeout: 1 } }],
    ['shutdown.timeOut', { shutdown: { timeOut: 1 } }],
    ['debug.routes', { debug: { routes: true } }],
  ])('the unknown name %s fails the start and is told what there is', async (name, options) => {
    const message = await failureOf({ options: options as PxlWebSocketModuleOptions });
    expect(message).toMatch(
      new RegExp(
        `^There is no option ${name}; (?:did you mean \\w+\\?$|(?:did you mean \\w+\\? T|t)here are [A-Za-z, ]+\\.$)`,
      ),
    );
  });

  it('never show a text that could be a secret', async () => {
    const secret = 'correct-horse-battery-staple';
    const group = { auth: secret, rooms: secret, heartbeat: secret, limits: secret, events: secret, enabled: secret };
    for (const [name, value] of Object.entries(group)) {
      const message = await failureOf({ options: { [name]: value } });
      expect(message).toMatch(new RegExp(`^The option ${name} is .*, not a text\\.$`));
    }
  });
});
