/** An answer that goes out under other names than the request's. */
export class NamedAnswer {
  constructor(
    readonly type: string,
    readonly action: string,
    readonly response: unknown,
  ) {}
}
