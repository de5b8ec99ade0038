import { describe, expect, it } from '@jest/globals';
import { applicationClose, cutReason } from '../../lib/clients/close-reason.js';

describe('a close reason', () => {
  it.each([
    ['', ''],
    ['a'.repeat(123), 'a'.repeat(123)],
    ['a'.repeat(124), 'a'.repeat(123)],
    ['ä'.repeat(62), 'ä'.repeat(61)],
    [`a${'€'.repeat(41)}`, `a${'€'.repeat(40)}`],
    ['🎲'.repeat(31), '🎲'.repeat(30)],
    [`${'a'.repeat(122)}🎲b`, 'a'.repeat(122)],
    ['\ud800'.repeat(50), '\ud800'.repeat(41)],
  ])('is cut to 123 bytes of UTF-8 between two characters (%#)', (reason, cut) => {
    expect(cutReason(reason)).toBe(cut);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(123);
  });
});

describe('how an application closes', () => {
  it.each([
    [undefined, undefined, { code: 4506, reason: 'disconnected by the server' }],
    [4506, 'too late', { code: 4506, reason: 'too late' }],
    [1000, undefined, { code: 1000, reason: '' }],
    [3000, 'bye', { code: 3000, reason: 'bye' }],
    [4999, '', { code: 4999, reason: '' }],
  ])('code %p with reason %p', (code, reason, expected) => {
    expect(applicationClose(code, reason)).toEqual(expected);
  });

  it.each([1001, 1005, 1006, 1015, 2999, 5000, -1, 1000.5, Infinity])('refuses the code %p', (code) => {
    expect(() => applicationClose(code)).toThrow(`1000 or 3000–4999, not ${code}`);
  });
});
