import type { Asker } from './asker.interface.js';

/** A message on its way out. */
export interface Outgoing {
  readonly text: string;
  /** As the application gave it. */
  readonly message: unknown;
  readonly isBinary?: boolean;
  /** Of a request: what its answers come under, and who waits for them. Without an id it is answered once it has left. */
  readonly id?: number | string | undefined;
  readonly asker?: Asker;
  /** The library's own word on the connection that there is: it counts, and waits for nothing. */
  readonly isUrgent?: boolean;
  /** Leaves before everything that waits in the queue. */
  readonly isFirst?: boolean;
  /** Means nothing on any later connection. */
  readonly isBound?: boolean;
}
