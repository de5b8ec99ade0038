import { describe, expect, it } from '@jest/globals';
import { ClearFrames, framesOfEach, framesOfLists } from '../../lib/encryption/clear-frames.js';

/** The texts of a list, as PROTOCOL.md has a client read it. */
function textsOf(list: Buffer): string[] {
  return list
    .toString('latin1')
    .split('\xff')
    .map((part) => new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'latin1')));
}

describe('framesOfLists', () => {
  it.each([[['one']], [['']], [['', '']], [['{"a":1}', '', '\ufffd', 'ÿ', '\u00ff\uffff', '😀']]])(
    'makes a list of %j that is read as the same texts',
    (texts) => {
      const lists = framesOfLists(texts);
      expect(lists).toHaveLength(1);
      expect(textsOf(lists[0]!)).toEqual(texts);
    },
  );

  it('writes a text that is no Unicode as ever, so that no text has the byte between two', () => {
    expect(textsOf(framesOfLists(['\ud800', '\udc00x'])[0]!)).toEqual(['\ufffd', '\ufffdx']);
  });

  it('leaves a text alone that is longer than a list, and splits what is longer together', () => {
    const texts = ['a', 'é'.repeat(6_000), 'b', 'x'.repeat(11_990), 'c'.repeat(10), 'y'.repeat(40_000), 'd'];
    const lists = framesOfLists(texts);
    expect(lists.flatMap(textsOf)).toEqual(texts);
    expect(lists.map((list) => list.length)).toEqual([1, 12_000, 11_992, 10, 40_000, 1]);
    expect(framesOfLists([])).toEqual([]);
  });
});

describe('ClearFrames', () => {
  it('writes the texts of a turn once for all clients, and keeps no large ones', () => {
    const frames = new ClearFrames(framesOfEach);
    const [turn, large] = [['one', 'two'], ['x'.repeat(70_000)]];
    const written = frames.of(turn);
    expect(written.map(String)).toEqual(turn);
    expect(frames.of(turn)).toBe(written);
    expect(frames.of(large)).not.toBe(frames.of(large));
    expect(frames.of(turn)).not.toBe(written);
  });
});
