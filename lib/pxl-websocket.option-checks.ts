import { PxlWebSocketOptionsError } from './errors/start-up.errors.js';

/** Reads one group of options: each getter checks one option and puts its default in place. */
export class OptionChecks {
  readonly #given: Record<string, unknown>;
  readonly #read = new Set<string>();

  /** @param name what the group is called in messages, '' for the options themselves */
  constructor(
    private readonly name: string,
    given: unknown,
  ) {
    if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given))) {
      throw new PxlWebSocketOptionsError(`The option ${name || 'object'} is an object, not ${describe(given)}.`);
    }
    this.#given = (given ?? {}) as Record<string, unknown>;
  }

  boolean(option: string, fallback: boolean): boolean {
    return this.#check(option, fallback, (value) => typeof value === 'boolean', 'true or false') as boolean;
  }

  /** A whole number of at least `least`. */
  integer(option: string, fallback: number, least: number): number {
    const fits = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= least;
    return this.#check(option, fallback, fits, `a whole number of at least ${least}`) as number;
  }

  /** A whole number of at least `least`, or false where the limit is off. */
  limit(option: string, fallback: number | false, least: number): number | false {
    const fits = (value: unknown): boolean =>
      value === false || (Number.isSafeInteger(value) && (value as number) >= least);
    return this.#check(option, fallback, fits, `a whole number of at least ${least}, or false`) as number | false;
  }

  /** A path as it stands in a request: it begins with a slash and holds no query. */
  path(option: string, fallback: string): string {
    const fits = (value: unknown): boolean => typeof value === 'string' && /^\/[^?#\s]*$/.test(value);
    return this.#check(option, fallback, fits, "a path like '/ws', without a query") as string;
  }

  texts(option: string): readonly string[] {
    const fits = (value: unknown): boolean =>
      Array.isArray(value) && value.every((text) => typeof text === 'string' && text !== '');
    return this.#check(option, [], fits, 'a list of texts') as string[];
  }

  /** A function, or undefined when none was given. It stays a method of the options it was given with. */
  callback(option: string): ((...args: unknown[]) => unknown) | undefined {
    const fits = (value: unknown): boolean => typeof value === 'function';
    const callback = this.#check(option, undefined, fits, 'a function') as
      ((...args: unknown[]) => unknown) | undefined;
    return callback?.bind(this.#given);
  }

  /** A group of options inside of this one. */
  group(option: string): OptionChecks {
    this.#read.add(option);
    return new OptionChecks(this.#path(option), this.#given[option]);
  }

  /** The option as it was given, for what this class cannot check. */
  raw(option: string): unknown {
    this.#read.add(option);
    return this.#given[option];
  }

  refuse(option: string, allowed: string): never {
    const given = describe(this.#given[option]);
    throw new PxlWebSocketOptionsError(`The option ${this.#path(option)} is ${allowed}, not ${given}.`);
  }

  /** Refuses options that nobody has read: a misspelt one would silently do nothing. */
  finish(): void {
    for (const option of Object.keys(this.#given)) {
      if (this.#read.has(option) || this.#given[option] === undefined) continue;
      const known = [...this.#read].join(', ');
      throw new PxlWebSocketOptionsError(`There is no option ${this.#path(option)}; there are ${known}.`);
    }
  }

  #check(option: string, fallback: unknown, fits: (value: unknown) => boolean, allowed: string): unknown {
    this.#read.add(option);
    const value = this.#given[option];
    if (value === undefined) return fallback;
    if (!fits(value)) this.refuse(option, allowed);
    return value;
  }

  #path(option: string): string {
    return this.name ? `${this.name}.${option}` : option;
  }
}

/** A given value as a message shows it; texts and objects only by kind, since options hold secrets. */
function describe(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value == null) return String(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : `a ${typeof value}`;
}
