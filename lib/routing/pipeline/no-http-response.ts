/**
 * The stand-in that guards and interceptors written for HTTP get as the response, which a message does not have.
 * Headers can be set and have no effect. It has no method that answers, so a filter written for HTTP fails instead of
 * answering nobody.
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
