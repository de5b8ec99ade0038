import { expect } from '@jest/globals';

/** A refusal with this code: `expect(...).toThrow(refused('CONFLICT'))`. */
export function refused(code = 'BAD_MESSAGE'): unknown {
  return expect.objectContaining({ code });
}
