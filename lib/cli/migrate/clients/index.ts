import type { Transform } from '../transform.js';

/** What turns code of Socket.IO's clients into this library's. */
export const clientTransforms: readonly Transform[] = [];
