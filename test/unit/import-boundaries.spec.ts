import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { importsOf, readSources, type Import, type SourceFile } from '../support/import-graph.js';
import { breachesOf, LAYERS } from '../support/import-rules.js';

const RING = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Where the second column of the layers begins in lib/README.md. */
const NAME_COLUMN = 15;

/** Made-up files: each path with its imports; `type:` before a specifier marks a type-only one. */
function files(graph: Record<string, string[]>): SourceFile[] {
  return Object.entries(graph).map(([path, specifiers]) => ({
    path,
    imports: specifiers.map((text): Import => {
      const isTypeOnly = text.startsWith('type:');
      return { specifier: isTypeOnly ? text.slice(5) : text, isTypeOnly };
    }),
  }));
}

describe('The imports of the repository', () => {
  it('keep the order of the layers, without a cycle', () => {
    const sources = ['lib', 'sample', 'test'].flatMap((folder) => readSources(ROOT, folder));
    expect(sources.length).toBeGreaterThan(100);
    expect(breachesOf(sources)).toEqual([]);
  });
});

describe('The house', () => {
  const paths = readSources(ROOT, 'lib').map(({ path }) => path);

  it('has folders of at most 20 files', () => {
    const counts = new Map<string, number>();
    for (const path of paths) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count > 20)).toEqual([]);
  });

  it('has constructors of at most eight parameters', () => {
    const wide = paths.filter((path) => {
      const source = ts.createSourceFile(path, readFileSync(join(ROOT, path), 'utf8'), ts.ScriptTarget.Latest);
      const classes = source.statements.filter(ts.isClassDeclaration);
      return classes.some(({ members }) =>
        members.some((member) => ts.isConstructorDeclaration(member) && member.parameters.length > 8),
      );
    });
    expect(wide).toEqual([]);
  });
});

describe('The map of the code, lib/README.md,', () => {
  const map = readFileSync(join(ROOT, 'lib/README.md'), 'utf8');

  it('has the layers of the imports, in their order', () => {
    const [, fence = ''] = /```\n(.*?)```/s.exec(map) ?? [];
    const layers = fence.trimEnd().split('\n');
    expect(layers.map((line) => line.slice(0, NAME_COLUMN).trim().split(' '))).toEqual(LAYERS);
  });

  it('names files that exist, and methods that they have', () => {
    const named = [...map.matchAll(/`((?:[\w.-]+\/)+[\w.-]+|[\w.-]+\.ts)`(?:\s`(#?\w+)`)?/g)];
    expect(named.length).toBeGreaterThan(50);
    const wrong = named.filter(([, path = '', method]) => {
      const file = [join(ROOT, 'lib', path), join(ROOT, path)].find((candidate) => existsSync(candidate));
      if (file === undefined) return true;
      return method !== undefined && !new RegExp(`(?<![\\w.#])${method}(?:\\(|<| = )`).test(readFileSync(file, 'utf8'));
    });
    expect(wrong.map(([text]) => text)).toEqual([]);
  });
});

describe('The check of the imports finds', () => {
  it.each<[string, Record<string, string[]>, string[]]>([
    [
      'a value of a layer above',
      { 'lib/clients/ws-client.ts': ['../transport/endpoint.js'] },
      ['lib/clients/ws-client.ts imports lib/transport/endpoint.ts, which stands above it'],
    ],
    [
      'a value of the module in a layer below',
      { 'lib/server/lifecycle.ts': ['../pxl-websocket.module.js', '../index.js'] },
      [
        'lib/server/lifecycle.ts imports lib/pxl-websocket.module.ts, which stands above it',
        'lib/server/lifecycle.ts imports lib/index.ts, which stands above it',
      ],
    ],
    [
      'a type of a layer above',
      { 'lib/rooms/room.ts': ['type:../transport/endpoint.js'] },
      ['lib/rooms/room.ts imports lib/transport/endpoint.ts, which stands above it'],
    ],
    [
      'a ring of types that is too large to be read together',
      Object.fromEntries(RING.map((name, at) => [`lib/rooms/${name}.ts`, [`type:./${RING[at - 1] ?? 'j'}.js`]])),
      [`ring of 10 files: ${RING.map((name) => `lib/rooms/${name}.ts`).join(' ')}`],
    ],
    [
      'a folder without a place among the layers',
      { 'lib/helpers/misc.ts': ['../protocol/codecs.js'] },
      ['lib/helpers/misc.ts belongs to no layer'],
    ],
    [
      'a cycle of values',
      { 'lib/rooms/a.ts': ['./b.js'], 'lib/rooms/b.ts': ['./c.js'], 'lib/rooms/c.ts': ['./a.js'] },
      ['cycle: lib/rooms/a.ts → lib/rooms/b.ts → lib/rooms/c.ts → lib/rooms/a.ts'],
    ],
    [
      'the internals of Nest outside of the pipeline',
      {
        'lib/routing/pipeline/nest-internals.ts': ['@nestjs/core/internal'],
        'lib/routing/router.ts': ['@nestjs/core/internal', 'type:@nestjs/common/internal'],
        'test/e2e/x.spec.ts': ['@nestjs/websockets/internal'],
      },
      [
        'lib/routing/router.ts imports @nestjs/core/internal, which only lib/routing/pipeline/nest-internals.ts may',
        'lib/routing/router.ts imports @nestjs/common/internal, which only lib/routing/pipeline/nest-internals.ts may',
        'test/e2e/x.spec.ts imports @nestjs/websockets/internal, which only lib/routing/pipeline/nest-internals.ts may',
      ],
    ],
    [
      'a protocol that needs anything at all',
      { 'lib/protocol/codecs.ts': ['./pxl.codec.js', 'node:buffer', 'type:../errors/ws.error.js'] },
      [
        'lib/protocol/codecs.ts imports node:buffer: the protocol imports nothing',
        'lib/protocol/codecs.ts imports ../errors/ws.error.js: the protocol imports nothing',
      ],
    ],
    [
      'a link to Redis that needs Nest',
      { 'lib/redis/redis-link.ts': ['@nestjs/common', 'ioredis'] },
      ['lib/redis/redis-link.ts imports @nestjs/common: processes without Nest use it too'],
    ],
    [
      'a client that needs more than the protocol',
      { 'lib/client/connection.ts': ['./ending.js', '../protocol/codecs.js', 'type:ws', 'type:../errors/ws.error.js'] },
      [
        'lib/client/connection.ts imports ws: the client needs nothing but the protocol',
        'lib/client/connection.ts imports ../errors/ws.error.js: the client needs nothing but the protocol',
      ],
    ],
    [
      'a hook that needs the server, the other framework, or parts of the client',
      {
        'lib/react/hooks.ts': [
          'react',
          '../client/index.js',
          '../hooks/room-stay.js',
          'type:../protocol/contract.js',
          'vue',
        ],
        'lib/vue/hooks.ts': ['vue', './own.js', '../protocol/contract.js', '../client/websocket-client.js'],
        'lib/hooks/room-stay.ts': ['type:../client/index.js', 'react'],
        'lib/server/x.ts': ['../hooks/room-stay.js'],
      },
      [
        'lib/react/hooks.ts imports vue: a page gets the client and its own framework only',
        'lib/vue/hooks.ts imports ../protocol/contract.js: a page gets the client and its own framework only',
        'lib/vue/hooks.ts imports ../client/websocket-client.js: a page gets the client and its own framework only',
        'lib/hooks/room-stay.ts imports react: a page gets the client and its own framework only',
        'lib/server/x.ts imports lib/hooks/room-stay.ts, which stands above it',
      ],
    ],
    [
      "the console's page that needs more than the client and the types of its contract, or is needed itself",
      {
        'lib/console/page/console.ts': [
          '../../client/index.js',
          'type:../console-contract.js',
          './dom/element.js',
          '../console-contract.js',
          'type:../../protocol/inspection.js',
        ],
        'lib/console/console.module.ts': ['./page/console.js'],
      },
      [
        "lib/console/page/console.ts imports ../console-contract.js: the console's page gets the client and the types of its contract only",
        "lib/console/page/console.ts imports ../../protocol/inspection.js: the console's page gets the client and the types of its contract only",
        'lib/console/console.module.ts imports ./page/console.js: that is built for browsers',
      ],
    ],
    [
      'a sample that reaches into the library or into another sample',
      {
        'sample/01-chat/src/main.ts': [
          'nestjs-pxl-websocket',
          'nestjs-pxl-websocket/emitter',
          'nestjs-pxl-websocket/client',
          './app.module.js',
          'nestjs-pxl-websocket/dist/index.js',
          '../../../lib/index.js',
          '../../02-jwt-auth/src/main.js',
        ],
      },
      [
        'sample/01-chat/src/main.ts imports nestjs-pxl-websocket/dist/index.js: a sample knows nestjs-pxl-websocket only',
        'sample/01-chat/src/main.ts imports ../../../lib/index.js: a sample knows nestjs-pxl-websocket only',
        'sample/01-chat/src/main.ts imports ../../02-jwt-auth/src/main.js: a sample knows nestjs-pxl-websocket only',
      ],
    ],
    [
      'a relative import that Node would not resolve',
      { 'test/e2e/x.spec.ts': ['../support/test-app', '../support/test-client.js'] },
      ['test/e2e/x.spec.ts: ../support/test-app does not end in .js'],
    ],
  ])('%s', (_what, graph, breaches) => {
    expect(breachesOf(files(graph))).toEqual(breaches);
  });

  it('nothing in layers below, in the resolved options, in a small ring of types', () => {
    const graph = {
      'lib/clients/a.ts': ['type:../errors/kind-of.js', '../protocol/codecs.js', '../errors/ws.error.js'],
      'lib/rooms/a.ts': ['type:./b.js'],
      'lib/rooms/b.ts': ['./a.js', '../pxl-websocket.options.js'],
    };
    expect(breachesOf(files(graph))).toEqual([]);
  });
});

describe('The imports of a source text', () => {
  it.each<[string, Import[]]>([
    [`import { A } from './a.js'`, [{ specifier: './a.js', isTypeOnly: false }]],
    [`import './a.js'`, [{ specifier: './a.js', isTypeOnly: false }]],
    [`import * as a from './a.js'`, [{ specifier: './a.js', isTypeOnly: false }]],
    [`import type { A } from './a.js'`, [{ specifier: './a.js', isTypeOnly: true }]],
    [`import { type A, type B } from './a.js'`, [{ specifier: './a.js', isTypeOnly: true }]],
    [`import { type A, B } from './a.js'`, [{ specifier: './a.js', isTypeOnly: false }]],
    [`import B, { type A } from './a.js'`, [{ specifier: './a.js', isTypeOnly: false }]],
    [`export { A } from './a.js'`, [{ specifier: './a.js', isTypeOnly: false }]],
    [`export * from './a.js'`, [{ specifier: './a.js', isTypeOnly: false }]],
    [`export type { A } from './a.js'`, [{ specifier: './a.js', isTypeOnly: true }]],
    [`export { type A } from './a.js'`, [{ specifier: './a.js', isTypeOnly: true }]],
    [`const a = await import('./a.js')`, [{ specifier: './a.js', isTypeOnly: false }]],
    [`const text = "import './a.js'"; // import './b.js'`, []],
  ])('%s', (text, imports) => {
    expect(importsOf(text)).toEqual(imports);
  });
});
