import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WsTestClient } from 'nestjs-pxl-websocket/testing';
import ts, { type CompilerOptions } from 'typescript';
import { isSoak } from '../support/cluster-periods.js';
import { Consumer, pack, type Packed } from '../support/consumer.js';
import { SampleProcess } from '../support/sample-process.js';
import { COMPILERS } from '../support/type-check.js';

/** What a consumer has installed: the peers, the package's own dependencies, and nothing optional. */
const NEEDED = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/platform-express',
  '@nestjs/platform-ws',
  '@nestjs/websockets',
  '@types/node',
  '@types/ws',
  'ioredis',
  'reflect-metadata',
  'rxjs',
  'ws',
];

let packed: Packed;
const consumers: Consumer[] = [];

async function install(packages: readonly string[], nest?: string): Promise<Consumer> {
  const consumer = await Consumer.install(packed, packages, nest);
  consumers.push(consumer);
  return consumer;
}

beforeAll(async () => {
  packed = await pack();
}, 240_000);

afterAll(() => Promise.all([packed, ...consumers].map((made) => made.remove())));

describe('the packed package', () => {
  let consumer: Consumer;

  beforeAll(async () => {
    consumer = await install(NEEDED);
  });

  it('holds the build, the documents and the changelog, and nothing else', () => {
    const others = packed.files.filter(
      (path) =>
        !/^dist\/.*\.(?:js|js\.map|d\.ts)$|^docs\/(?:design\/)?[\w-]+\.md$|^docs\/images\/[\w-]+\.png$/.test(path) &&
        !/^dist\/console\/page\/(?:index\.html|console\.css|icon\.svg)$/.test(path),
    );
    expect(others.sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'PROTOCOL.md',
      'README.md',
      'docs/grafana-dashboard.json',
      'package.json',
    ]);
    expect(packed.files.filter((path) => /^dist\/(?:sample|stale)/.test(path))).toEqual([]);
  });

  // The client beside it is the one that the module uses.
  it('is imported without its optional peers', async () => {
    const program = `
      import { getWebSocketClientToken, PxlWebSocketModule } from 'nestjs-pxl-websocket';
      import { WebSocketClient } from 'nestjs-pxl-websocket/client';
      console.log(typeof PxlWebSocketModule.forRoot, getWebSocketClientToken() === WebSocketClient);`;
    expect(await consumer.say(program)).toBe('function true');
  });

  it('is required from CommonJS', async () => {
    const program = `
      const { getWebSocketClientToken, PxlWebSocketModule } = require('nestjs-pxl-websocket');
      const { WebSocketClient } = require('nestjs-pxl-websocket/client');
      console.log(typeof PxlWebSocketModule.forRoot, getWebSocketClientToken() === WebSocketClient);`;
    expect(await consumer.say(program, 'commonjs')).toBe('function true');
  });

  it('says which package is missing when an option needs one', async () => {
    const program = `
      import 'reflect-metadata';
      import { Module } from '@nestjs/common';
      import { NestFactory } from '@nestjs/core';
      import { PxlWebSocketModule } from 'nestjs-pxl-websocket';
      class AppModule {}
      Module({ imports: [PxlWebSocketModule.forRoot({ auth: { jwt: { secret: 'a secret of some length' } } })] })(AppModule);
      const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
      await app.init().catch(({ message }) => console.log(message));
      await app.close();`;
    expect(await consumer.say(program)).toBe(
      'The option auth.jwt needs the package @nestjs/jwt: npm install @nestjs/jwt.',
    );
  });

  it('has types that a strict consumer compiles', async () => {
    await consumer.add('app.ts', 'office.ts');
    expect(consumer.typeErrors()).toBe('');
  }, 60_000);

  it('has every entry that its package.json names, and the single file for pages', async () => {
    const { exports } = JSON.parse(await consumer.read('package.json')) as { exports: Record<string, unknown> };
    const files = JSON.stringify(exports).match(/dist\/[^"]+/g) ?? [];
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((file) => !packed.files.includes(file))).toEqual([]);
    expect(packed.files).toContain('dist/client/browser.js');
  });

  it('shows no internals in its types', async () => {
    const types = await consumer.read('dist/ws-client/ws-client.d.ts');
    expect(types).toContain('get readyState(): number');
    expect(types).not.toContain('@internal');
  });
});

/** The optional peers, which the types of some entries are made of. */
const OPTIONAL = ['@nestjs/jwt', '@nestjs/testing', '@types/react', 'bullmq', 'react', 'vue'];

/** What a project finds packages by: that of CommonJS before `exports`, which Nest generated up to version 10, and today's. */
const RESOLUTIONS: Record<string, CompilerOptions> = {
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- what many projects still have is what is tested
  node10: { module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10 },
  node16: { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 },
  nodenext: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  bundler: { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
};

describe('every entry', () => {
  let consumer: Consumer;

  beforeAll(async () => {
    consumer = await install([...NEEDED, ...OPTIONAL]);
    const { exports } = JSON.parse(await consumer.read('package.json')) as { exports: Record<string, unknown> };
    const entries = Object.keys(exports).filter((entry) => entry !== './package.json');
    // What cannot be found is an error; and what is any has every name.
    const uses = entries.map(
      (entry, index) => `
        import * as entry${index} from 'nestjs-pxl-websocket${entry.slice(1)}';
        export const all${index} = entry${index};
        // @ts-expect-error an entry has no such name
        export const none${index} = entry${index}.nothing;`,
    );
    await consumer.write('entries.ts', uses.join('\n'));
    await consumer.add('contract.ts');
  });

  // The compilers differ by node10 most; node16 resolves as nodenext does, which the samples of Nest 11 have. All pairs take half
  // a minute.
  const compilers = Object.keys(COMPILERS) as (keyof typeof COMPILERS)[];
  const pairs = Object.keys(RESOLUTIONS).flatMap((resolution) =>
    compilers.map((compiler) => [resolution, compiler] as const),
  );
  const few = ['node10 TypeScript 5', 'bundler TypeScript 6'];
  it.each(pairs.filter((pair) => isSoak || few.includes(pair.join(' '))))(
    'has its types by the resolution %s, to %s',
    (resolution, compiler) => {
      const ignoreDeprecations = compiler === 'TypeScript 6' ? '6.0' : '5.0';
      const options = { ...RESOLUTIONS[resolution], ignoreDeprecations, lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'] };
      expect(consumer.typeErrors(COMPILERS[compiler], options)).toBe('');
    },
    60_000,
  );
});

describe('the entry ./client', () => {
  let consumer: Consumer;

  beforeAll(async () => {
    consumer = await install([]);
  });

  it('needs nothing but itself, imported and required', async () => {
    const program = "const m = await import('nestjs-pxl-websocket/client'); console.log(typeof m.WebSocketClient);";
    expect(await consumer.say(program)).toBe('function');
    const required = "console.log(typeof require('nestjs-pxl-websocket/client').WebSocketClient);";
    expect(await consumer.say(required, 'commonjs')).toBe('function');
  });

  it('has a single file and an encryption beside it, which need nothing either', async () => {
    const program = `
      const { WebSocketClient } = await import('nestjs-pxl-websocket/client/browser');
      const { webCryptoEncryption } = await import('nestjs-pxl-websocket/client/encryption');
      class Socket {}
      const options = { url: 'ws://127.0.0.1', webSocket: Socket, encryption: webCryptoEncryption() };
      console.log(new WebSocketClient(options).state);`;
    expect(await consumer.say(program)).toBe('disconnected');
    expect(await consumer.read('dist/client/browser.js')).not.toMatch(/\bimport\b/);
  });
});

describe('the entry ./emitter', () => {
  let consumer: Consumer;

  beforeAll(async () => {
    consumer = await install(['@types/node', 'ioredis']);
    await consumer.add('script.ts');
  });

  it('needs no Nest, and leaves nothing behind that would keep the process alive', async () => {
    const program = `
      import { WebSocketEmitter } from 'nestjs-pxl-websocket/emitter';
      const emitter = new WebSocketEmitter({ redis: 'redis://127.0.0.1:1' });
      await emitter.broadcast({ event: 'done' }).catch(({ code }) => console.log(code));
      await emitter.shutdown();
      await import('nestjs-pxl-websocket').catch(({ code }) => console.log(code));`;
    expect(await consumer.say(program)).toBe('UNAVAILABLE\nERR_MODULE_NOT_FOUND');
  });

  it('has types that a strict consumer compiles', async () => {
    expect(consumer.typeErrors()).toBe('');
  }, 60_000);
});

describe('the entry ./testing', () => {
  let consumer: Consumer;

  beforeAll(async () => {
    consumer = await install([...NEEDED, '@nestjs/testing', 'vitest']);
    await consumer.add('chat.test.ts', 'chat.test.mjs');
  });

  it('is required from CommonJS', async () => {
    const program = "console.log(typeof require('nestjs-pxl-websocket/testing').createWsTestApp);";
    expect(await consumer.say(program, 'commonjs')).toBe('function');
  });

  it('has types that a strict consumer compiles', async () => {
    expect(consumer.typeErrors()).toBe('');
  }, 60_000);

  it('asks for a test runner where none is global', async () => {
    const program = `
      import { describeBroadcaster } from 'nestjs-pxl-websocket/testing';
      try {
        describeBroadcaster('A bus', () => ({}));
      } catch ({ message }) {
        console.log(message);
      }`;
    expect(await consumer.say(program)).toBe('There is no global describe and it: pass those of the test runner.');
  });

  it('works in Vitest', async () => {
    const { code, output } = await consumer.node(['node_modules/vitest/vitest.mjs', 'run', 'chat.test.ts']);
    expect(output).toMatch(/Tests .*2 passed/);
    expect(output).not.toContain('close timed out');
    expect(code).toBe(0);
  }, 60_000);

  it('works in node:test, whose process ends by itself once the application is closed', async () => {
    const { code, output } = await consumer.node(['chat.test.mjs'], 20_000);
    expect(output).toContain('# pass 2');
    expect(code).toBe(0);
  });

  it('would keep the process alive without that', async () => {
    const last = 'ok 2 - says what came instead of what was waited for';
    expect(await consumer.runsOn('chat.test.mjs', { FORGET_TO_CLOSE: '1' }, last, 1_000)).toBe(true);
  });
});

describe('sample/07-nest-11, CommonJS', () => {
  let oldest: Consumer;

  async function sampleOn(nest: string): Promise<Consumer> {
    const consumer = await install([...NEEDED, '@types/express', 'class-transformer', 'class-validator'], nest);
    await consumer.addSample('07-nest-11');
    // What its package.json installs beside, the runner of its own tests, is not here.
    await consumer.remove('src/poll.gateway.spec.ts');
    return consumer;
  }

  beforeAll(async () => {
    oldest = await sampleOn('11.1');
    const compiler = join(import.meta.dirname, '../../node_modules/typescript-5/bin/tsc');
    const options = ['--outDir', 'dist', '--types', 'node', '--noCheck'];
    expect((await oldest.node([compiler, '-p', '.', ...options])).output).toBe('');
  }, 60_000);

  // The older one has fewer types: what fits them fits those of the other.
  it('has types that fit those of Nest 11.1', () => {
    expect(oldest.typeErrors(COMPILERS['TypeScript 5'], { skipLibCheck: false, types: ['node'] })).toBe('');
  }, 60_000);

  it.each(['11.1', '11.2'])(
    'is compiled as the CLI of Nest 11 does, starts, counts and stops on Nest %s',
    async (nest) => {
      const consumer = nest === '11.1' ? oldest : await sampleOn(nest);
      if (consumer !== oldest)
        await cp(join(oldest.folder, 'dist'), join(consumer.folder, 'dist'), { recursive: true });
      const sample = await SampleProcess.run(join(consumer.folder, 'dist/main.js'));
      try {
        await sample.listens();
        const url = `${sample.url.replace('http', 'ws')}/ws`;
        const [ada, bo] = await Promise.all([WsTestClient.connect(url), WsTestClient.connect(url)]);
        expect(await ada.request('poll', 'vote', { choice: 'tabs' })).toEqual({ tabs: 1, spaces: 0 });
        expect(await bo.next('poll', 'counts')).toMatchObject({ data: { tabs: 1, spaces: 0 } });
        await expect(bo.request('poll', 'vote', { choice: 'both' })).rejects.toThrow('VALIDATION_FAILED');
        expect(await (await fetch(`${sample.url}/client/browser.js`)).text()).toContain('WebSocketClient');
        const stopped = sample.stop();
        expect(await bo.closed).toMatchObject({ code: 1001 });
        expect(await stopped).toBe('SIGTERM');
      } finally {
        await sample.kill();
      }
    },
  );
});

const PROGRAM = 'node_modules/nestjs-pxl-websocket/dist/cli/main.js';

describe('the program', () => {
  const source = "import { Socket } from 'socket.io';\nexport const id = (client: Socket) => client.id;\n";

  it('needs nothing but ts-morph, and says how to get it', async () => {
    const consumer = await install([]);
    await consumer.write('app.ts', source);
    const { bin } = JSON.parse(await consumer.read('package.json')) as { bin: Record<string, string> };
    expect(PROGRAM).toBe(`node_modules/nestjs-pxl-websocket/${bin['nestjs-pxl-websocket']?.slice(2)}`);
    expect(await consumer.read('dist/cli/main.js')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const missing = await consumer.node([PROGRAM, 'migrate']);
    expect(missing).toEqual({ code: 1, output: 'This command needs ts-morph: npm install --save-dev ts-morph\n' });
    await consumer.link('ts-morph');
    const { code, output } = await consumer.node([PROGRAM, 'migrate', '--write', '--force']);
    expect(output).toContain('changed app.ts');
    expect(code).toBe(0);
    expect(await readFile(join(consumer.folder, 'app.ts'), 'utf8')).toContain('client.clientId');
  });

  it('makes an application of Socket.IO one that compiles, and does the same', async () => {
    const consumer = await install([...NEEDED, 'ts-morph']);
    const names = await consumer.addApplication('socket-io-app');
    const run = await consumer.node([PROGRAM, 'migrate', '--write', '--force']);
    expect(run).toMatchObject({ code: 0, output: expect.stringContaining(`Changed ${names.length} files.`) });
    expect(consumer.typeErrors()).toBe('');
    await consumer.transpile(names);
    const { output } = await consumer.node(['exchange.mjs'], 20_000);
    expect(output.trim().split('\n')).toEqual([
      '{ members: 2, connected: 3 }',
      'Unauthorized',
      'sure? yes',
      'ada all "chat"',
      'ada counted 1',
      'ada counted 2',
      'admin all "admin"', // and nobody else: a namespace reaches its own clients
      'bo all "chat"',
      'bo joined "ada"',
      'bo message ["ada","Hello"]',
      'bo others "chat"',
      'bo whispered "PSST"',
      'bo whispered "psst"',
    ]);
  }, 60_000);
});
