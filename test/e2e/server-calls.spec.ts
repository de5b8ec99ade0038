import { afterEach, describe, expect, it } from '@jest/globals';
import { UseInterceptors, type CallHandler, type ExecutionContext } from '@nestjs/common';
import { ClientManager, WsError, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { PLATFORMS, startApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';

let running: TestApp | undefined;

afterEach(async () => {
  await running?.close();
  running = undefined;
});

async function start(options: TestAppOptions = {}): Promise<TestApp> {
  return (running = await startApp(options));
}

function clientOf({ app }: TestApp, { clientId }: TestClient): WsClient {
  return app.get(ClientManager).getClient({ clientId, requireWs: true })!;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => 'it resolved',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(WsError);
  return (error as WsError).code;
}

const QUESTION = { type: 'ask', action: 'name', data: { polite: true } };

describe.each(PLATFORMS)('WsClient.call on %s', (platform) => {
  class Asking {
    @WsRoute('a', 'plain')
    async plain(client: WsClient) {
      return { answered: await client.call(QUESTION) };
    }

    @WsRoute('a', 'intercepted')
    @UseInterceptors({ intercept: (_context: ExecutionContext, next: CallHandler) => next.handle() })
    async intercepted(client: WsClient) {
      return [await client.call(QUESTION), await client.call(QUESTION)];
    }
  }

  it('resolves with the answer, from inside a handler of the same client too', async () => {
    const test = await start({ platform, providers: [Asking] });
    const tester = await test.client();
    const outside = clientOf(test, tester).call({ event: 'ask:name' });
    const { callId, ...call } = await tester.next('ask', 'name');
    expect(call).toEqual({ type: 'ask', action: 'name', data: null });
    tester.send({ type: 'system', action: 'answer', data: { callId, response: { name: 'Ada' } } });
    expect(await outside).toEqual({ name: 'Ada' });

    for (const [action, calls] of Object.entries({ plain: 1, intercepted: 2 })) {
      tester.send({ type: 'a', action, id: action });
      for (let asked = 0; asked < calls; asked++) {
        const question = await tester.next('ask', 'name');
        expect(question.data).toEqual({ polite: true });
        tester.send({ type: 'system', action: 'answer', data: { callId: question.callId, response: 'Ada' } });
      }
    }
    expect((await tester.next('a', 'plain')).response).toEqual({ answered: 'Ada' });
    expect((await tester.next('a', 'intercepted')).response).toEqual(['Ada', 'Ada']);
  });
});

describe('a call', () => {
  it('may overlap others, answered in any order; an answer without a response is undefined', async () => {
    const test = await start();
    const tester = await test.client();
    const client = clientOf(test, tester);
    const calls = [1, 2, 3].map((data) => client.call({ type: 'ask', action: 'n', data }));
    const questions = [await tester.next(), await tester.next(), await tester.next()];
    for (const { callId, data } of questions.reverse()) {
      tester.send({ type: 'system', action: 'answer', data: { callId, response: data === 2 ? undefined : data } });
    }
    expect(await Promise.all(calls)).toEqual([1, undefined, 3]);
  });

  it("rejects with the client's code; its words are no part of the message", async () => {
    const test = await start();
    const tester = await test.client();
    const refuse = async (error: unknown): Promise<WsError> => {
      const call = clientOf(test, tester).call(QUESTION);
      const { callId } = await tester.next('ask', 'name');
      tester.send({ type: 'system', action: 'answer', data: { callId, error } });
      return call.then(
        () => Promise.reject(new Error('It was answered.')),
        (reason: unknown) => reason as WsError,
      );
    };
    const refusal = await refuse({ code: 'NOT_FOUND', message: 'the words' });
    expect(refusal).toMatchObject({ code: 'NOT_FOUND', message: 'The client has refused.' });
    expect((refusal.cause as Error).message).toBe('the words');
    expect(await refuse({ code: 'made up\ncode' })).toMatchObject({ code: 'APPLICATION' });
    expect(await refuse({})).toMatchObject({ code: 'APPLICATION' });
  });

  it('rejects with TIMEOUT, by its own limit or timeouts.call; the late answer is ignored', async () => {
    const test = await start({ options: { timeouts: { call: 40 } } });
    const tester = await test.client();
    expect(await codeOf(clientOf(test, tester).call(QUESTION))).toBe('TIMEOUT');
    expect(await codeOf(clientOf(test, tester).call(QUESTION, { timeout: 10 }))).toBe('TIMEOUT');
    const { callId } = await tester.next('ask', 'name');
    tester.send({ type: 'system', action: 'answer', data: { callId, response: 1 } });
    expect(await tester.request('system', 'ping')).toBeDefined();
  });

  it('rejects with UNAVAILABLE when its client goes, or is gone', async () => {
    const test = await start();
    const tester = await test.client();
    const client = clientOf(test, tester);
    const calls = [client.call(QUESTION), client.call(QUESTION)].map(codeOf);
    await tester.next('ask', 'name');
    tester.socket.terminate();
    expect(await Promise.all(calls)).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
    expect(await codeOf(client.call(QUESTION))).toBe('UNAVAILABLE');
  });

  it('is given up by its signal', async () => {
    const test = await start();
    const tester = await test.client();
    const client = clientOf(test, tester);
    const given = new AbortController();
    const call = client.call(QUESTION, { signal: given.signal });
    given.abort(new Error('no more'));
    await expect(call).rejects.toThrow('no more');
    await expect(client.call(QUESTION, { signal: given.signal })).rejects.toThrow('no more');
    expect((await tester.next('ask', 'name')).callId).toBe(1);
    await tester.expectNothing(20);
  });

  it('is refused at once for what is no message, and for options that there are not', async () => {
    const test = await start();
    const tester = await test.client();
    const client = clientOf(test, tester);
    const wrong: unknown[] = [null, 5, 'text', {}, { type: 'a' }, { type: 'a', action: 'b', data: 1n }];
    for (const message of wrong) expect(await codeOf(client.call(message as never))).toBe('BAD_MESSAGE');
    const strange: unknown[] = [null, 5_000, { timeOut: 5 }, { timeout: '5' }, { timeout: 0 }, { timeout: Infinity }];
    for (const options of strange) {
      expect(await codeOf(client.call({ event: 'e' }, options as never))).toBe('BAD_MESSAGE');
    }
    await tester.expectNothing(20);
  });

  it('is refused when 1,024 wait already', async () => {
    const test = await start();
    const client = clientOf(test, await test.client());
    const calls = Array.from({ length: 1_024 }, () => codeOf(client.call(QUESTION)));
    expect(await codeOf(client.call(QUESTION))).toBe('RATE_LIMITED');
    client.ws.terminate();
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['UNAVAILABLE']));
  });
});

describe('system.answer', () => {
  it.each([[null], [5], [{}], [{ callId: 'x' }], [{ callId: 1, error: 'text' }]])(
    'with %j is BAD_MESSAGE',
    async (data) => {
      const test = await start();
      await expect((await test.client()).request('system', 'answer', data)).rejects.toThrow('BAD_MESSAGE');
    },
  );

  it('to a call that nobody has made is ignored', async () => {
    const test = await start();
    expect(await (await test.client()).request('system', 'answer', { callId: 99, response: 1 })).toBeNull();
  });
});
