const CLIENT_ID = /^([\w-]{8})\.[\w-]{16}$/;

/** How many characters an id has that this library makes. */
export const CLIENT_ID_LENGTH = 25;

/** The worker that is named in a client's id; undefined for ids that an application has given to adopted sockets. */
export function workerOf(clientId: string): string | undefined {
  return CLIENT_ID.exec(clientId)?.[1];
}
