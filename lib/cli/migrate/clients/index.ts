import type { Transform } from '../transform.js';
import { ClientTransform } from './client.transform.js';

/** What turns code of Socket.IO's clients into this library's. */
export const clientTransforms: readonly Transform[] = [new ClientTransform()];
