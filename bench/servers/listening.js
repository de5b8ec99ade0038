/**
 * Where a server listens. Node asks for a queue of 511 connections that wait to be accepted; a crowd that comes at once needs a longer
 * one, or the kernel lets the rest try again a second later. `net.core.somaxconn` is the most that it gives.
 */
export function listening(port = 0) {
  return { port, host: '127.0.0.1', backlog: 4_096 };
}
