import { describe, expect, it } from '@jest/globals';
import { DuplicateWsRouteError } from '../../lib/errors/start-up.errors.js';
import type { RouteDefinition } from '../../lib/clients/session/route.interface.js';
import { Router } from '../../lib/routing/router.js';

function route(source: string): RouteDefinition {
  return { source, handle: () => source, immediate: false };
}

describe('a router', () => {
  it('finds the handler of a type and an action, and of nothing else', () => {
    const router = new Router('/ws', 'pxl');
    const [one, two] = [route('A.one'), route('A.two')];
    router.add('a', 'one', one);
    router.add('event', 'two', two);
    expect(router.find('a', 'one')).toEqual({ ...one, name: 'a:one' });
    expect(router.find('event', 'two')).toMatchObject(two);
    expect(router.find('a', 'two')).toBeUndefined();
    for (const name of ['constructor', '__proto__', 'toString']) expect(router.find(name, name)).toBeUndefined();
  });

  it('takes one handler per route and one fallback, and names both that want it', () => {
    const router = new Router('/ws', 'pxl');
    router.add('a', 'b', route('First.method'));
    expect(() => router.add('a', 'b', route('Second.method'))).toThrow(
      'The route "a:b" of /ws has two handlers, First.method and Second.method',
    );
    router.addFallback(route('First.rest'));
    expect(() => router.addFallback(route('Second.rest'))).toThrow(DuplicateWsRouteError);
  });

  it('gives the fallback what has no route, unless its type is the library’s', () => {
    const router = new Router('/ws', 'pxl');
    const [known, rest] = [route('A.known'), route('A.rest')];
    router.add('a', 'known', known);
    router.addFallback(rest);
    expect(router.find('a', 'known')).toMatchObject(known);
    expect(router.find('a', 'other')).toEqual({ ...rest, name: '*' });
    for (const type of ['system', 'auth', 'error', 'room']) expect(router.find(type, 'other')).toBeUndefined();
  });

  it('lets a join or leave event of the application take the place of the library’s own', () => {
    for (const protocol of ['pxl', 'event'] as const) {
      const router = new Router('/ws', protocol);
      const [theirs, own] = [route('system.join'), route('A.join')];
      router.add('system', 'join', theirs);
      expect(router.find('system', 'join')).toMatchObject(theirs);
      router.add('event', 'join', own);
      expect(router.find('system', 'join')).toMatchObject(own);
      expect(() => router.add('event', 'join', route('B.join'))).toThrow(DuplicateWsRouteError);
    }
  });

  it('refuses, where event.v1 is spoken, an event that is the library’s', () => {
    for (const event of ['authenticate', 'connected', 'disconnect', 'error', 'heartbeat', 'encrypted']) {
      new Router('/ws', 'pxl').add('event', event, route('A.b'));
      expect(() => new Router('/ws', 'event').add('event', event, route('A.b'))).toThrow(
        `The route of A.b cannot be: the event "${event}" of /ws belongs to the library.`,
      );
    }
  });

  it('lists its routes in the order in which they were added', () => {
    const router = new Router('/ws', 'pxl');
    router.add('b', 'x', route('B.x'));
    router.add('a', 'y', route('A.y'));
    router.addFallback(route('C.z'));
    expect([...router.list()]).toEqual([
      { key: 'b:x', source: 'B.x' },
      { key: 'a:y', source: 'A.y' },
      { key: '*', source: 'C.z' },
    ]);
  });
});
