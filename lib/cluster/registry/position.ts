/** How far a worker has written its clients to Redis. */
export interface Position {
  /** Rises whenever the worker writes all of its clients anew. */
  readonly incarnation: number;
  /** Rises with each batch of changes, from 1 on. */
  readonly seq: number;
}

export const NOWHERE: Position = { incarnation: 0, seq: 0 };

/** Whether `a` is later than `b`. */
export function isAhead(a: Position, b: Position): boolean {
  return a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.seq > b.seq);
}
