/**
 * What guards and interceptors written for HTTP get as the response of a message, which has none: headers may be set, and
 * go nowhere. It cannot be answered with, so that a filter written for HTTP fails instead of having answered nobody.
 */
export class NoHttpResponse {
  /** As Express and Fastify have it. */
  header(): this {
    return this;
  }

  /** As Express has it, by which Nest's `CacheInterceptor` tells of a hit. */
  set(): this {
    return this;
  }

  /** As Node has it. */
  setHeader(): this {
    return this;
  }

  getHeader(): undefined {
    return undefined;
  }
}
