import * as crypto from 'node:crypto';

/** The digest of a text in base64. */
export const digestOf: (algorithm: 'sha1' | 'sha256', text: string) => string =
  'hash' in crypto
    ? (algorithm, text) => crypto.hash(algorithm, text, 'base64') // without an object for each digest
    : (algorithm, text) => crypto.createHash(algorithm).update(text).digest('base64');
