import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

/** What a consumer has installed: the peers, the package's own dependencies, and nothing optional. */
const INSTALLED = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/platform-express',
  '@nestjs/platform-ws',
  '@nestjs/websockets',
  '@types/node',
  '@types/ws',
  'reflect-metadata',
  'rxjs',
  'ws',
];

const CONSUMER = `
import { Module } from '@nestjs/common';
import { MessageBody, ConnectedSocket, WebSocketGateway } from '@nestjs/websockets';
import { ClientManager, PxlWebSocketModule, RoomManager, WebSocketService, WsClient, WsError, WsRoute } from 'nestjs-pxl-websocket';
import type { PxlWebSocketModuleOptions, WebSocketMessage } from 'nestjs-pxl-websocket';

const options: PxlWebSocketModuleOptions = { rooms: { open: true }, heartbeat: false };
// @ts-expect-error an option that there is not
const misspelt: PxlWebSocketModuleOptions = { romms: {} };

@WebSocketGateway()
export class Gateway {
  constructor(readonly sockets: WebSocketService, readonly clients: ClientManager, readonly rooms: RoomManager) {}

  @WsRoute('chat', 'send')
  async send(@ConnectedSocket() client: WsClient, @MessageBody() data: { text: string }): Promise<{ sent: boolean }> {
    if (data.text === '') throw new WsError('VALIDATION_FAILED', 'Say something.');
    const message: WebSocketMessage = { type: 'chat', action: 'message', data };
    await this.sockets.sendToRooms([...client.rooms], message, { exclude: [client.clientId] });
    // @ts-expect-error rooms are a list
    await this.sockets.sendToRooms('lobby', message);
    return { sent: true };
  }
}

@Module({ imports: [PxlWebSocketModule.forRoot(options)], providers: [Gateway] })
export class AppModule {}
export { misspelt };
`;

let consumer: string;
let packed: string[];

beforeAll(async () => {
  consumer = await mkdtemp(join(tmpdir(), 'consumer-'));
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', consumer], { cwd: ROOT });
  // The build that runs before packing writes to the same stream.
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [
    { filename: string; files: { path: string }[] },
  ];
  packed = files.map(({ path }) => path);
  const installed = join(consumer, 'node_modules/nestjs-pxl-websocket');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(consumer, filename), '--strip-components=1', '-C', installed]);
  for (const name of INSTALLED) {
    const link = join(consumer, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), link);
  }
  await writeFile(join(consumer, 'package.json'), JSON.stringify({ type: 'module' }));
}, 120_000);
afterAll(() => rm(consumer, { recursive: true, force: true }));

describe('the packed package', () => {
  it('holds the build, the wire contract and the changelog, and nothing else', () => {
    const others = packed.filter((path) => !/^dist\/.*\.(?:js|js\.map|d\.ts)$/.test(path));
    expect(others.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'PROTOCOL.md', 'README.md', 'package.json']);
    expect(packed.filter((path) => path.startsWith('dist/sample'))).toEqual([]);
  });

  it('is imported without its optional peers', async () => {
    const program = "const m = await import('nestjs-pxl-websocket'); console.log(typeof m.PxlWebSocketModule.forRoot);";
    const { stdout } = await run('node', ['--input-type=module', '-e', program], { cwd: consumer });
    expect(stdout.trim()).toBe('function');
  });

  it('is required from CommonJS', async () => {
    const program = "console.log(typeof require('nestjs-pxl-websocket').PxlWebSocketModule.forRoot);";
    const flags = ['--disable-warning=ExperimentalWarning', '--input-type=commonjs'];
    const { stdout } = await run('node', [...flags, '-e', program], { cwd: consumer });
    expect(stdout.trim()).toBe('function');
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
    const { stdout } = await run('node', ['--input-type=module', '-e', program], { cwd: consumer });
    expect(stdout.trim()).toBe('The option auth.jwt needs the package @nestjs/jwt: npm install @nestjs/jwt.');
  });

  it('has types that a strict consumer compiles', async () => {
    await writeFile(join(consumer, 'app.ts'), CONSUMER);
    const compilerOptions = {
      target: 'ES2023',
      module: 'NodeNext',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      noEmit: true,
      types: ['node'],
    };
    await writeFile(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }));
    const errors = await run('node', [join(ROOT, 'node_modules/typescript/bin/tsc')], { cwd: consumer }).then(
      () => '',
      (failure: unknown) => (failure as { stdout: string }).stdout,
    );
    expect(errors).toBe('');
  }, 60_000);

  it('shows no internals in its types', async () => {
    const types = await readFile(
      join(consumer, 'node_modules/nestjs-pxl-websocket/dist/clients/ws-client.d.ts'),
      'utf8',
    );
    expect(types).toContain('send(message: unknown): boolean');
    expect(types).not.toContain('@internal');
  });
});
