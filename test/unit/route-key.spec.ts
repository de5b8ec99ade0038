import { describe, expect, it } from '@jest/globals';
import { eventOfRoute, routeKey, routeOfEvent } from '../../lib/protocol/route-key.js';

describe('an event name and the pair that it stands for', () => {
  it.each([
    ['message', 'event', 'message'],
    ['chat:send', 'chat', 'send'],
    ['chat:send:now', 'chat', 'send:now'],
    [':send', '', 'send'],
    ['chat:', 'chat', ''],
    ['', 'event', ''],
    ['event:a:b', 'event', 'a:b'],
  ])('"%s" is (%s, %s), both ways', (event, type, action) => {
    expect(routeOfEvent(event)).toEqual({ type, action });
    expect(eventOfRoute(type, action)).toBe(event);
  });

  it('of the type "event" has the action alone as its name', () => {
    expect(routeOfEvent('event:message')).toEqual({ type: 'event', action: 'message' });
    expect(eventOfRoute('event', 'message')).toBe('message');
  });
});

describe('a route key', () => {
  it('differs for pairs that differ, since a type holds no colon', () => {
    expect(new Set([routeKey('a', 'b:c'), routeKey('a', 'bc'), routeKey('ab', 'c')]).size).toBe(3);
  });
});
