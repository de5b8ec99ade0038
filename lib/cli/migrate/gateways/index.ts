import type { Transform } from '../transform.js';

/** What turns code of Socket.IO's gateways into this library's. */
export const gatewayTransforms: readonly Transform[] = [];
