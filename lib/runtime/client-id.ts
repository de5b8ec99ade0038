const CLIENT_ID = /^([\w-]{8})\.[\w-]{16}$/;

/** Characters of an id that is ours. */
export const CLIENT_ID_LENGTH = 25;

/** The worker that an id of a client carries; undefined for ids that are not ours (those of adopted sockets). */
export function workerOf(clientId: string): string | undefined {
  return CLIENT_ID.exec(clientId)?.[1];
}
