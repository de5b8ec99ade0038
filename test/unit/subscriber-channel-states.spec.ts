import { describe, expect, it } from '@jest/globals';
import { ChannelStates } from '../../lib/subscribers/utilities/channel-states.js';
import { HandlerContexts } from '../support/handler-context.js';

const TTL = 1_000;

describe('What a utility remembers of channels', () => {
  it('is forgotten after its time, and its memory is free with the next channel', async () => {
    const contexts = new HandlerContexts();
    const states = new ChannelStates<number>(TTL);
    for (let at = 0; at < 500; at++) states.set(contexts.make(0, `old ${at}`), at);
    const first = contexts.make(0, 'old 0');
    await contexts.clock.advance(TTL - 1);
    expect(states.get(first)).toBe(0);
    await contexts.clock.advance(1);
    expect(states.get(first)).toBeUndefined();
    states.set(contexts.make(0, 'new'), 1);
    expect(states.sizeFor(first)).toBe(1);
  });

  it('lasts from the last time that it was set', async () => {
    const contexts = new HandlerContexts();
    const states = new ChannelStates<number>(TTL);
    const [often, once] = [contexts.make(0, 'often'), contexts.make(0, 'once')];
    states.set(often, 1);
    states.set(once, 1);
    await contexts.clock.advance(TTL - 1);
    states.set(often, 2);
    await contexts.clock.advance(TTL - 1);
    expect(states.get(often)).toBe(2);
    expect(states.get(once)).toBeUndefined();
    states.set(contexts.make(0, 'new'), 1);
    expect(states.sizeFor(often)).toBe(2);
  });

  it('is of 10 000 channels at most: the oldest gives way', () => {
    const contexts = new HandlerContexts();
    const states = new ChannelStates<number>(TTL);
    for (let at = 0; at < 10_001; at++) states.set(contexts.make(0, `channel ${at}`), at);
    expect(states.sizeFor(contexts.make(0))).toBe(10_000);
    expect(states.get(contexts.make(0, 'channel 0'))).toBeUndefined();
    expect(states.get(contexts.make(0, 'channel 1'))).toBe(1);
    expect(states.get(contexts.make(0, 'channel 10000'))).toBe(10_000);
  });

  it('belongs to one application', () => {
    const [one, other] = [new HandlerContexts(), new HandlerContexts()];
    const states = new ChannelStates<number>(TTL);
    states.set(one.make(0), 1);
    expect(states.get(other.make(0))).toBeUndefined();
    states.delete(other.make(0));
    expect(states.get(one.make(0))).toBe(1);
    states.delete(one.make(0));
    expect(states.sizeFor(one.make(0))).toBe(0);
  });
});
