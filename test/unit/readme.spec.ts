import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { CLOSE_CODES } from '../../lib/protocol/close-codes.js';
import { WS_ERROR_CODES } from '../../lib/protocol/error-codes.js';
import { brokenLinks, documentation, examplesOf, otherPages, pageOf, programsOf } from '../support/documents.js';
import { fileErrors } from '../support/type-check.js';

/** What a reader has beside an example: the imports that it leaves out, and things of an application. */
const SURROUNDINGS = `
import { Catch, Controller, Get, Injectable, Module, Res, StandardSchemaValidationPipe } from '@nestjs/common';
import type {
  CanActivate, ExceptionFilter, ExecutionContext, INestApplication, PipeTransform,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConnectedSocket, MessageBody, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import type { OnGatewayConnection, OnGatewayDisconnect, OnGatewayInit } from '@nestjs/websockets';
import type { IncomingMessage } from 'node:http';
import type { Queue } from 'bullmq';
import type { WebSocketServer as Server } from 'ws';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  defineWebSocketSubscriber, forwardQueueEvents, PxlWebSocketClientModule, PxlWebSocketModule, PxlWebSocketServer,
  UseConnectionGuards, WebSocketClientController, WebSocketQueueEvents, WebSocketService, WsError, WsRoute,
  WsSubscriber,
} from 'nestjs-pxl-websocket';
import type {
  ClusterEventMessages, ConnectionCandidate, PxlWebSocketModuleOptions, WebSocketSubscriberHandlerContext,
  WebSocketSubscriberMiddleware, WsAuthenticator, WsClient, WsCredentials,
} from 'nestjs-pxl-websocket';
import { WebSocketClient } from 'nestjs-pxl-websocket/client';
import { createSocketHooks } from 'nestjs-pxl-websocket/react';
import type {
  ClientState, PushAction, PushData, PushType, Unsubscribe, WebSocketContract,
} from 'nestjs-pxl-websocket/client';
import { WebSocketEmitter } from 'nestjs-pxl-websocket/emitter';
import { createWsTestApp, WsTestClient } from 'nestjs-pxl-websocket/testing';
import type { WsTestApp } from 'nestjs-pxl-websocket/testing';

interface Order { amount: number }
interface Price { symbol: string }
interface Prices { routes: { price: { buy: { data: { symbol: string }; reply: boolean } } } }
interface Response { status(code: number): void }
interface StatusChange { userId: string; status: string }
declare class AppModule {}
declare class PricePipe implements PipeTransform { transform(value: unknown): Price }
declare class Sessions { find(cookie?: string): Promise<{ userId: string; role: string; name: string } | null> }
declare class Visits { end(userId: string): void }
declare const app: INestApplication, client: WsClient;
declare const clientId: string, data: object, file: string, redis: string;
declare const keys: {
  agree(clientId: string, data: unknown): Promise<{ serverPublicKey: string; salt: string }>;
  encrypt(clientId: string, message: object): Promise<string>;
  decrypt(clientId: string, data: unknown): Promise<object>;
};
declare const session: { token(): string }, tokens: { issue(): string }, videoQueue: Queue;
declare const server: PxlWebSocketServer, sockets: WebSocketService;
declare function authenticateFn(
  data: object,
): Promise<{ userId?: string; metadata?: Record<string, unknown> } | null | false>;
declare function confirm(question: string): boolean;
declare function mayEnter(userId: string | undefined, roomName: string): boolean;
declare function print(...texts: string[]): void;
declare function show(...states: unknown[]): void;
declare function tokenOf(userId: string): string;
declare function withoutPrices(data: unknown): object;
`;

/** The same for components: what Vue's compiler knows. */
const SURROUNDINGS_OF_HOOKS = `
declare class AppModule {}
declare const session: { token(): string };
declare function defineProps<T>(): T;
`;

const PAGES = documentation();
/** Its examples build on each other, section by section. */
const HOOKS_PAGE = 'docs/react-and-vue.md';
const EXAMPLES = PAGES.flatMap(examplesOf).filter(({ page, file }) => page !== HOOKS_PAGE || file !== undefined);
/** The contract of the examples, which one of them declares. */
const CONTRACT = /^interface Chat \{\n  routes.*?^\}/ms.exec(PAGES.map(({ text }) => text).join('\n'))?.[0] ?? '';
/** Whole files may use the DOM and JSX, as an application with a page does. */
const OPTIONS = { jsx: ts.JsxEmit.ReactJSX, lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'] };

/** A fragment with what stands around it. */
function programOf(code: string): string {
  const isOptions = /^\w+: /.test(code);
  // Some show the same option twice, or leave out what is in the brackets.
  const options = code.replace(/^(\w+: \{.*\}) *(\/\/.*)?$/gm, '...{ $1 },').replace(/^redis: new .*$/gm, '');
  const body = isOptions ? `const options: PxlWebSocketModuleOptions = {\n${options}\n};` : code;
  // In a function, where an example may have names of its own for what stands around it.
  const statements = body.replace(/^import .*$/gm, '').replace(/^export /gm, '');
  return `${SURROUNDINGS}${CONTRACT}\nexport async function example() {\n${statements}\n}\n`;
}

/** The examples of one section of the page on hooks as one program; of a Vue component its script. */
function programOfSection(title: string): string {
  const section =
    pageOf(HOOKS_PAGE)
      .text.split(/^## /m)
      .find((text) => text.startsWith(`${title}\n`)) ?? '';
  const codes = [...section.matchAll(/^```(?:tsx?|vue\n<script setup lang="ts">)\n(.*?)^(?:```|<\/script>)/gms)];
  const imports = new Set<string>();
  const bodies = codes.map(([block, code = ''], index) => {
    const body = code.replace(
      /^import (type )?\{ (.*) \} from (.*)$/gm,
      (_, type = '', names: string, from: string) => {
        for (const name of names.split(', ')) imports.add(`import { ${type}${name} } from ${from}`);
        return '';
      },
    );
    return block.startsWith('```vue') ? `export function component${index}() {\n${body}\n}` : body;
  });
  return [...imports, SURROUNDINGS_OF_HOOKS, CONTRACT, ...bodies].join('\n');
}

/** The packages that test/neighbours/run installs, and this repository does not. */
const OF_NEIGHBOURS = new Set(
  Object.keys(
    (JSON.parse(pageOf('test/neighbours/nest-12/package.json').text) as { dependencies: object }).dependencies,
  ).filter((name) => !existsSync(join(import.meta.dirname, '../../node_modules', name))),
);

/** The fragments of all pages; what is a part of a class is none. */
function fragments(): string[] {
  const parts = EXAMPLES.filter(({ language, file }) => language === 'ts' && file === undefined);
  return parts.map(({ code }) => code).filter((code) => !/^constructor\(/m.test(code));
}

/** The whole files of all pages, each page's programs in folders of their own. */
function wholeFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const { path } of PAGES) {
    const examples = EXAMPLES.filter(({ page, language }) => page === path && /^tsx?$/.test(language));
    for (const [index, program] of programsOf(examples).entries()) {
      const others = compiledByNeighbours(program);
      for (const [name, code] of program) if (!others.has(name)) files.set(`pages/${path}-${index}/${name}`, code);
    }
  }
  return files;
}

function packageOf(from: string): string {
  return from.split('/', from.startsWith('@') ? 2 : 1).join('/');
}

/** The files of a program that need a package which only test/neighbours/run has: it compiles and runs them. */
function compiledByNeighbours(program: ReadonlyMap<string, string>): Set<string> {
  const others = new Set<string>();
  const isOne = (name: string, code: string): boolean => {
    return [...code.matchAll(/ from '([^']+)'/g)].some(([, from = '']) => {
      return OF_NEIGHBOURS.has(packageOf(from)) || others.has(join(dirname(name), from).replace(/\.js$/, '.ts'));
    });
  };
  let before: number;
  do {
    before = others.size;
    for (const [name, code] of program) if (isOne(name, code)) others.add(name);
  } while (others.size > before);
  return others;
}

describe('the examples of the documentation', () => {
  it('compile under strict: whole files as they stand, fragments in their surroundings', () => {
    const sections = ['React', 'Vue', 'Tests'].map(programOfSection);
    for (const name of ['function Badge', 'createApp(', 'createWsTestApp(']) expect(sections.join()).toContain(name);
    const texts = [...fragments().map(programOf), ...sections];
    expect(texts.length).toBeGreaterThan(20);
    const programs = new Map(texts.map((text, index): [string, string] => [`fragment-${index}.tsx`, text]));
    const all = new Map([...programs, ...wholeFiles()]);
    const failed = [...fileErrors(all, ts, OPTIONS)].flatMap(([name, found]) => {
      return found.map(
        ({ line, at, message }) => `${name}:${line} at ${lineOf(all.get(name), line)}: ${message} (${at})`,
      );
    });
    expect(failed).toEqual([]);
  }, 60_000);

  it('are JavaScript where they say so', () => {
    const scripts = EXAMPLES.filter(({ language }) => language === 'js');
    const failed = scripts.filter(({ code }) => {
      const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext, allowJs: true };
      const { diagnostics = [] } = ts.transpileModule(code, {
        fileName: 'a.js',
        compilerOptions: options,
        reportDiagnostics: true,
      });
      return diagnostics.length > 0;
    });
    expect(failed).toEqual([]);
  });
});

describe('README.md', () => {
  const { text } = pageOf('README.md');

  it('is read in a few minutes', () => {
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(12 * 1_024);
  });

  /** What a newcomer looks for, and what the page behind the link has to tell. */
  it.each([
    ['send to a user', 'sendToUsers'],
    ['log in', 'auth: {'],
    ['behind nginx', 'proxy_set_header Upgrade'],
  ])('leads to "%s" by one click', (wish, answer) => {
    const row = text.split('\n').find((line) => line.startsWith('|') && line.includes(wish)) ?? '';
    const targets = [...row.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target = '']) => pageOf(target).text);
    expect(targets.join()).toContain(answer);
  });
});

describe('the page on troubleshooting', () => {
  it('has a row for each error code and each close code of the protocol', () => {
    const codes = [...Object.keys(WS_ERROR_CODES), ...Object.values(CLOSE_CODES).map(({ code }) => String(code))];
    const [, closeCodes = '', errorCodes = ''] =
      /^## Close codes$(.*?)^### .*?^## Error codes$(.*?)^## /ms.exec(pageOf('docs/troubleshooting.md').text) ?? [];
    const named = [...`${closeCodes}${errorCodes}`.matchAll(/^\|([^|]+)\|/gm)].map(([, cell = '']) => cell).join();
    expect(codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(named))).toEqual([]);
  });

  it('quotes lines of the log as the library writes them', () => {
    const [, table = ''] = /^## Lines of the log$(.*?)^## /ms.exec(pageOf('docs/troubleshooting.md').text) ?? [];
    const lines = [...table.matchAll(/^\| `([^|]+)` \|/gm)].map(([, line = '']) => line);
    expect(lines.length).toBeGreaterThan(15);
    const known = loggedText();
    // What differs from line to line stands as …, a name, a number or the words for one of several reasons.
    const beginningOf = (line: string): string => {
      return line.split(/…|"|<[^>]*>|\d+|\/ws|[.:,] /).find((piece) => piece.length >= 12) ?? '';
    };
    const unknown = lines.filter((line) => !known.includes(beginningOf(line).trim()));
    expect(unknown).toEqual([]);
  });
});

describe('the links of the documentation', () => {
  it('lead to files and headings that there are', () => {
    expect([...PAGES, ...otherPages()].flatMap(brokenLinks)).toEqual([]);
  });
});

describe('the peers of the package', () => {
  const manifest = (path: string): Record<string, Record<string, string>> => {
    return JSON.parse(readFileSync(join(import.meta.dirname, '../..', path), 'utf8')) as Record<
      string,
      Record<string, string>
    >;
  };

  /** npm refuses to install what it cannot fit (ERESOLVE); the specs run with packages that nobody has held against the ranges. */
  it.each(['11.1', '11.2'])('take the packages of Nest %s that the specs run on', (version) => {
    const { peerDependencies = {} } = manifest('package.json');
    const { dependencies = {} } = manifest(`test/nest/${version}/package.json`);
    const shared = Object.keys(peerDependencies).filter((name) => name.startsWith('@nestjs/') && name in dependencies);
    expect(shared).toContain('@nestjs/jwt');
    expect(shared.filter((name) => !fits(dependencies[name] ?? '', peerDependencies[name] ?? ''))).toEqual([]);
  });
});

/** Whether a version is in one of some ranges, as `^11.1.0 || ^12.0.0`. */
function fits(version: string, ranges: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return ranges.split(' || ').some((range) => {
    const [least = 0, leastMinor = 0, leastPatch = 0] = range.slice(1).split('.').map(Number);
    return major === least && (minor > leastMinor || (minor === leastMinor && patch >= leastPatch));
  });
}

/** The text of the library's sources with the strings put together that stand in parts, and without what is filled in. */
function loggedText(): string {
  const root = join(import.meta.dirname, '../../lib');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const source = files.map((name) => readFileSync(join(root, name), 'utf8')).join('\n');
  return source.replace(/['"`]\s*\+\s*['"`]/g, '').replace(/\$\{[^{}]*\}/g, '');
}

function lineOf(text = '', line: number): string {
  return text.split('\n')[line - 1]?.trim() ?? '';
}
