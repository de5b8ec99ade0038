import { describe, expect, it } from '@jest/globals';
import { WsFallback, WsRateLimit, WsRoute, WsSubscriber } from 'nestjs-pxl-websocket';
import { runtimeNotes } from '../../lib/lifecycle/runtime-notes.js';

/** The notes of a runtime, each with its level; without a word about it nothing is wrong with it. */
function notesOn(
  versions: Record<string, string>,
  { showsWriteProgress = true, signals = [] as string[] } = {},
): string[] {
  const notes = runtimeNotes({ versions, showsWriteProgress, listensTo: (signal) => signals.includes(signal) });
  return notes.map(({ level, text }) => `${level} ${text}`);
}

describe('What is said of the runtime at the start', () => {
  it.each(['20.19.0', '22.12.0', '23.1.0', '24.0.0', '26.10.0'])('is nothing on Node %s', (node) => {
    expect(notesOn({ node })).toEqual([]);
  });

  it.each(['18.20.8', '20.18.3', '21.7.3', '22.11.0'])('is that Node %s is older than what is tested', (node) => {
    expect(notesOn({ node })).toEqual([
      expect.stringContaining(`warn Node.js ${node} is older than 20.19 or 22.12: this package is not tested on it`),
    ]);
  });

  it.each(['1.4.4', '1.4.5', '1.5.0', '2.0.0', '1.4.12-canary.1'])('is nothing on Bun %s', (bun) => {
    // Whatever Node it takes itself for.
    expect(notesOn({ node: '18.0.0', bun })).toEqual([]);
  });

  it.each(['1.2.23', '1.3.14', '1.4.3'])('is on Bun %s that slow readers are not noticed', (bun) => {
    expect(notesOn({ node: '24.3.0', bun })).toEqual([
      expect.stringContaining(`warn Bun ${bun} does not tell what waits for a client: slow readers are not noticed`),
    ]);
  });

  it('is on Deno how its signals are named, unless somebody listens to SIGTERM', () => {
    const deno = { node: '24.2.0', deno: '2.9.6' };
    expect(notesOn(deno)).toEqual([
      expect.stringMatching(/^warn Nothing listens to SIGTERM, .*\['SIGTERM', 'SIGINT'\]/),
    ]);
    expect(notesOn(deno, { signals: ['SIGTERM'] })).toEqual([]);
  });

  it('is that slow readers are judged by whole writes, where no more is seen', () => {
    expect(notesOn({ node: '24.0.0' }, { showsWriteProgress: false })).toEqual([
      expect.stringMatching(/^log This runtime does not tell how much of a write has left: /),
    ]);
  });
});

describe('A method decorator that is called in the standard way, as Bun does without a tsconfig.json', () => {
  it.each(['WsRoute', 'WsFallback', 'WsRateLimit', 'WsSubscriber'])('says what it needs: @%s', (name) => {
    const decorators: Record<string, unknown> = {
      WsRoute: WsRoute('chat', 'send'),
      WsFallback: WsFallback(),
      WsRateLimit: WsRateLimit({ limit: 1, ttl: 1_000 }),
      WsSubscriber: WsSubscriber({ channel: 'clientConnected' }),
    };
    const decorate = decorators[name] as (method: () => void, context: object) => void;
    expect(() => decorate(() => undefined, { kind: 'method', name: 'send' })).toThrow(
      `@${name}() was compiled as a standard decorator, which Nest does not know: tsconfig.json needs ` +
        '"experimentalDecorators": true and "emitDecoratorMetadata": true.',
    );
  });
});
