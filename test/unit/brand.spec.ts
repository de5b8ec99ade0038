import { describe, expect, it } from '@jest/globals';
import { ConnectionCandidate, DuplicateWsRouteError, RemoteClient, WsClient } from 'nestjs-pxl-websocket';
import { PxlWebSocketOptionsError, PxlWebSocketSetupError, WsError } from 'nestjs-pxl-websocket';
import { secondCopy } from '../support/second-copy.js';

type Class = new (...args: never[]) => object;

describe('a class of which an application may have instances of a second copy', () => {
  it.each([
    [WsError, 'errors/ws.error'],
    [PxlWebSocketOptionsError, 'errors/start-up.errors'],
    [PxlWebSocketSetupError, 'errors/start-up.errors'],
    [DuplicateWsRouteError, 'errors/start-up.errors'],
    [WsClient, 'ws-client/ws-client'],
    [RemoteClient, 'clients/remote-client'],
    [ConnectionCandidate, 'auth/connection-candidate'],
  ])('%p knows them', async (type, file) => {
    const second = (await secondCopy<Record<string, Class>>(file))[type.name]!;
    expect(second).not.toBe(type);
    class Sub extends second {}
    const [own, foreign, subclass] = [type, second, Sub].map(
      ({ prototype }) => Object.create(prototype as object) as object,
    );
    for (const instance of [own, foreign, subclass]) {
      expect(instance instanceof type).toBe(true);
      expect(instance instanceof second).toBe(true);
    }
    expect(own instanceof Sub).toBe(false);
    expect(subclass instanceof Sub).toBe(true);
  });

  it('knows nothing else, and cannot be made to throw', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    class Sub extends WsError {}
    for (const value of [proxy, undefined, null, 'text', {}, new Error('x'), () => undefined, Object.create(null)]) {
      expect((value as unknown) instanceof WsError).toBe(false);
      expect((value as unknown) instanceof Sub).toBe(false);
    }
    expect(new PxlWebSocketOptionsError('x') instanceof PxlWebSocketSetupError).toBe(false);
  });
});
