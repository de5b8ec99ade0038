import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CanActivate, ExecutionContext, LoggerService } from '@nestjs/common';
import type { PxlWebSocketModuleOptions } from 'nestjs-pxl-websocket';
import {
  consoleAccessOf,
  PxlWebSocketConsoleModule,
  type ConsoleAccess,
  type ConsoleContract,
  type PxlWebSocketConsoleOptions,
} from 'nestjs-pxl-websocket/console';
import { startApp, type TestApp, type TestAppOptions } from './test-app.js';
import type { TestClient } from './test-client.js';
import { urlIdentity } from './url-identity.js';

/** What a guard of a controller gets of either platform. */
interface GuardedRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
  user?: { readonly id: string };
}

/** Lets in whom the header `x-admin` names, notes what it was asked for, and refuses what it was told to refuse. */
export class HeaderGuard implements CanActivate {
  readonly asked: ConsoleAccess[] = [];
  refuses: (access: ConsoleAccess) => boolean = () => false;

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    const access = consoleAccessOf(context)!;
    this.asked.push(access);
    const id = request.headers['x-admin'];
    if (id === undefined || this.refuses(access)) return false;
    request.user = { id };
    return true;
  }
}

/** The lines of a log. */
export class LineLog implements LoggerService {
  readonly lines: string[] = [];
  readonly log = (line: string): void => void this.lines.push(line);
  readonly warn = this.log;
  readonly error = this.log;
}

/** A folder with the files of a page; the real one is built elsewhere. */
export async function pageFolder(): Promise<{ readonly page: string; remove(): Promise<void> }> {
  const page = await mkdtemp(join(tmpdir(), 'pxl-console-'));
  await writeFile(join(page, 'index.html'), '<!doctype html><title>Console</title><script src="console.js"></script>');
  await writeFile(join(page, 'console.js'), 'console.log("console")');
  await writeFile(join(page, 'notes.txt'), 'not served');
  return { page, remove: () => rm(page, { recursive: true }) };
}

/** An application with a console, and `options` of the module. */
export function startConsole(
  options: PxlWebSocketModuleOptions,
  console: PxlWebSocketConsoleOptions,
  test: TestAppOptions = {},
): Promise<TestApp> {
  return startApp({
    options: { auth: { authenticate: urlIdentity }, rooms: { open: true }, ...options },
    ...test,
    imports: [PxlWebSocketConsoleModule.forRoot(console), ...(test.imports ?? [])],
  });
}

/** The page of an administrator. */
export function look(
  app: TestApp,
  { path = '/console', ...headers }: Record<string, string> & { path?: string } = {},
): Promise<TestClient<ConsoleContract>> {
  return app.client<ConsoleContract>({ path: `${path}/socket`, headers: { 'x-admin': 'ada', ...headers } });
}
