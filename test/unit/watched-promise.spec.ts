import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import ts from 'typescript';
import { WatchedPromise } from '../../lib/runtime/watched-promise.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** A watched promise that rejects, and what nobody has taken by the end of the next turn. */
async function untakenOf(use: (promise: Promise<never>) => unknown): Promise<unknown[]> {
  const untaken: unknown[] = [];
  const rejects = async (): Promise<never> => {
    await Promise.resolve();
    throw new Error('no');
  };
  const used = use(WatchedPromise.watch(rejects, (reason) => untaken.push((reason as Error).message)));
  await Promise.allSettled([used]);
  await turn();
  return untaken;
}

describe('A rejection of a watched promise', () => {
  it.each<[string, (promise: Promise<never>) => unknown]>([
    ['nobody takes it', () => undefined],
    ['only its value is asked for', (promise) => void promise.then(() => undefined)],
    ['only its end is', (promise) => void promise.finally(() => undefined)],
    ['the handler rejects in its turn', (promise) => void promise.catch(() => Promise.reject(new Error('no')))],
  ])('goes where it was told to, once, when %s', async (_how, use) => {
    expect(await untakenOf(use)).toEqual(['no']);
  });

  it.each<[string, (promise: Promise<never>) => unknown]>([
    ['catches it', (promise) => promise.catch(() => undefined)],
    ['asks for nothing else', (promise) => promise.then(undefined, () => undefined)],
    [
      'takes both',
      (promise) =>
        promise.then(
          () => undefined,
          () => undefined,
        ),
    ],
    ['awaits it', async (promise) => await promise.finally(() => undefined).catch(() => undefined)],
    ['returns it', (promise) => (async () => promise)().catch(() => undefined)],
    ['waits for all', (promise) => Promise.allSettled([promise])],
    ['waits for one of several', (promise) => Promise.race([promise, turn()]).catch(() => undefined)],
    ['comes within the turn', async (promise) => (await Promise.resolve(), promise.catch(() => undefined))],
  ])('is that of who %s', async (_how, use) => {
    expect(await untakenOf(use)).toEqual([]);
  });

  it('is still there for who comes late', async () => {
    let late: Promise<never> | undefined;
    expect(await untakenOf((promise) => void (late = promise))).toEqual(['no']);
    await expect(late).rejects.toThrow('no');
  });
});

it('A watched promise is a Promise with the value of the other', async () => {
  const watched = WatchedPromise.watch(
    () => Promise.resolve(1),
    () => undefined,
  );
  expect(watched).toBeInstanceOf(Promise);
  expect(await watched.then((value) => value + 1)).toBe(2);
});

describe.each([
  ['at once', () => 1],
  ['later', () => Promise.resolve(1)],
])('What is derived from a watched promise whose value is there %s', (_when, work) => {
  const watched = (): Promise<number> => WatchedPromise.watch<number>(work, () => undefined);
  const pass = (value: unknown): unknown => value;

  it('is watched in its turn unless both handlers are given', async () => {
    for (const derived of [watched().then(pass), watched().catch(pass), watched().finally(() => undefined)]) {
      expect(derived).toBeInstanceOf(WatchedPromise);
      expect(await derived).toBe(1);
    }
    expect(watched().then(pass, pass)).not.toBeInstanceOf(WatchedPromise);
    expect(await watched().then(pass, pass)).toBe(1);
  });
});

describe('A watched promise whose value is there at once', () => {
  const untaken: unknown[] = [];
  const atOnce = (): Promise<number> =>
    WatchedPromise.watch(
      () => 1,
      (reason) => untaken.push((reason as Error).message),
    );
  const refuse = (): never => {
    throw new Error('no');
  };

  it('is a Promise with that value, awaited and in a list', async () => {
    expect(atOnce()).toBeInstanceOf(Promise);
    expect(await atOnce()).toBe(1);
    expect(await Promise.all([atOnce(), atOnce().then((value) => value + 1)])).toEqual([1, 2]);
    expect(await atOnce().finally(() => 3)).toBe(1);
  });

  it('has what fails after it watched', async () => {
    void atOnce().then(refuse);
    void atOnce().finally(refuse);
    await turn();
    expect(untaken.splice(0)).toEqual(['no', 'no']);
    await expect(atOnce().then(refuse)).rejects.toThrow('no');
    expect(
      await atOnce()
        .then(refuse)
        .catch(() => 2),
    ).toBe(2);
    await turn();
    expect(untaken).toEqual([]);
  });
});

describe('The code of the library', () => {
  it('has no super in private methods, which TypeScript compiles wrongly for targets below ES2022', () => {
    const root = join(import.meta.dirname, '../../lib');
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2021 };
    for (const name of names) {
      const source = readFileSync(join(root, name), 'utf8');
      if (!source.includes('super.')) continue;
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: { ...options, experimentalDecorators: true },
      });
      expect(() => new Script(outputText, { filename: name })).not.toThrow();
    }
  });
});
