import { clientTransforms } from './clients/index.js';
import { gatewayTransforms } from './gateways/index.js';
import type { Transform } from './transform.js';

/** All transforms of sources, in the order in which they read a file. */
export const TRANSFORMS: readonly Transform[] = [...gatewayTransforms, ...clientTransforms];
