/** Answers a request of the server with what it returns. */
export type CallHandler = (data: unknown) => unknown;
