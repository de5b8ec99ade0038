import { describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { WebSocketClient, WebSocketClientError, type WebSocketClientOptions } from '../../lib/client/index.js';

/** What a client with these options throws; undefined when it is made. */
function refusalOf(options: object): WebSocketClientError | undefined {
  try {
    new WebSocketClient({ url: 'ws://localhost/ws', webSocket: WebSocket, ...options });
    return undefined;
  } catch (error) {
    return error as WebSocketClientError;
  }
}

describe('a bad option', () => {
  it.each<[object, string]>([
    [{ url: undefined }, 'The option url has to be a ws url.'],
    [{ url: 7 }, 'The option url has to be a ws url.'],
    [{ url: '/ws' }, 'The option url has to be a ws url.'],
    [{ url: 'ftp://host' }, 'The option url has to be a ws url.'],
    [{ protocol: 'mqtt' }, 'The option protocol has to be event or pxl.'],
    [{ server: 'ours' }, 'The option server has to be other.'],
    [{ server: 'other', encryption: {} }, 'There is no tokenTo or encryption beside server.'],
    [{ server: 'other', tokenTo: 'query' }, 'There is no tokenTo or encryption beside server.'],
    [{ webSocket: 'ws' }, 'The option webSocket has to be a function.'],
    [{ getToken: 'token' }, 'The option getToken has to be a function.'],
    [{ tokenTo: 'cookie' }, 'The option tokenTo has to be protocol or query or message.'],
    [{ tokenPatience: 0 }, 'The option tokenPatience has to be a number above 0.'],
    [{ tokenPatience: Infinity }, 'The option tokenPatience has to be a number above 0.'],
    [{ connectTimeout: 0 }, 'The option connectTimeout has to be a number above 0.'],
    [{ connectTimeout: NaN }, 'The option connectTimeout has to be a number above 0.'],
    [{ connectTimeout: 2 ** 31 }, 'The option connectTimeout has to be a number above 0.'],
    [{ reconnect: true }, 'The option reconnect has to be an object or false.'],
    [{ reconnect: null }, 'The option reconnect has to be an object or false.'],
    [{ reconnect: { minDelay: '1s' } }, 'The option reconnect.minDelay has to be a number above 0.'],
    [{ reconnect: { attempts: -1 } }, 'The option reconnect.attempts has to be a number above 0 or Infinity.'],
    [{ reconnect: { delay: 1 } }, 'There is no option reconnect.delay.'],
    [{ requestTimeout: -5 }, 'The option requestTimeout has to be a number above 0 or false.'],
    [{ queue: 100 }, 'The option queue has to be an object or false.'],
    [{ pageLifecycle: 1 }, 'The option pageLifecycle has to be true or false.'],
    [{ queue: { limit: 0 } }, 'The option queue.limit has to be a number above 0.'],
    [{ queue: { policy: 'drop' } }, 'The option queue.policy has to be dropOldest or dropNewest.'],
    [{ heartbeat: { interval: 'often' } }, 'The option heartbeat.interval has to be a number above 0.'],
    [{ events: null }, 'The option events has to be an object.'],
    [{ encryption: true }, 'The option encryption has to be an object.'],
    [{ urls: [] }, 'There is no option urls.'],
    [{ toString: 1 }, 'There is no option toString.'],
    [{ 'reconnect.minDelay': 3 }, 'There is no option reconnect.minDelay.'],
    [{ queue: { interval: 3 } }, 'There is no option queue.interval.'],
  ])('%o is named, with what it has to be', (options, sentence) => {
    const error = refusalOf(options);
    expect(error).toBeInstanceOf(WebSocketClientError);
    expect(error).toMatchObject({ code: 'BAD_OPTION', message: sentence, retryable: false });
  });
});

describe('a refusal', () => {
  it.each<object>([
    { getToken: 'eyJhbGciOi-secret' },
    { url: 'ftp://ada:secret@host/ws' },
    { url: 'host/ws?token=secret' },
    { encryption: 'secret' },
    { tokenTo: 'secret' },
  ])('of %o does not tell what was given', (options) => {
    const error = refusalOf(options);
    expect(error?.code).toBe('BAD_OPTION');
    expect(`${error?.message} ${error?.stack} ${JSON.stringify(error)}`).not.toContain('secret');
  });
});

describe('a good option', () => {
  it.each<Partial<WebSocketClientOptions>>([
    { url: new URL('https://example.com/ws?room=tea') },
    { protocol: undefined, webSocket: WebSocket, getToken: undefined, reconnect: undefined, queue: undefined },
    { server: 'other', tokenTo: undefined, encryption: undefined },
    { server: undefined, tokenTo: 'message' },
    { reconnect: false, requestTimeout: false, queue: false, heartbeat: false },
    { reconnect: { minDelay: 30_000 }, queue: {}, heartbeat: {}, events: {} },
    { reconnect: { attempts: Infinity }, connectTimeout: 0.5, tokenPatience: 1 },
  ])('%o passes', (options) => {
    expect(refusalOf(options)).toBeUndefined();
  });
});
