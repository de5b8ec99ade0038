import { describe, expect, it } from '@jest/globals';
import { frameText, TextFrame } from '../../lib/clients/session/text-frame.js';

describe('a text frame', () => {
  it.each([
    [0, [0x81, 0]],
    [1, [0x81, 1]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
    [16_909_060, [0x81, 127, 0, 0, 0, 0, 1, 2, 3, 4]],
  ])('of %i bytes has the shortest header that says so, unmasked', (length, header) => {
    const text = 'x'.repeat(length);

    const bytes = frameText(text);

    expect([...bytes.subarray(0, header.length)]).toEqual(header);
    expect(bytes).toHaveLength(header.length + length);
    expect(bytes.toString('latin1', header.length) === text).toBe(true);
  });

  it.each(['é', '€', '😀', 'a\u0000b', '\ud800'])('counts the bytes of %j in UTF-8, not its characters', (text) => {
    const bytes = frameText(text);

    expect(bytes[1]).toBe(Buffer.byteLength(text));
    expect(bytes.subarray(2)).toEqual(Buffer.from(text));
  });

  it('takes the longer header where characters need more bytes than there are characters', () => {
    expect([...frameText('é'.repeat(63)).subarray(0, 4)]).toEqual([0x81, 126, 0, 126]);
    expect([...frameText('€'.repeat(21_846)).subarray(0, 2)]).toEqual([0x81, 127]);
  });

  it('is made once, however many sockets ask for it', () => {
    const frame = new TextFrame('hello');

    expect(frame.bytes).toBe(frame.bytes);
  });
});
