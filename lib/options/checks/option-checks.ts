import { PxlWebSocketOptionsError } from '../../errors/start-up.errors.js';
import { isClass } from './class-checks.js';
import { nearestName, noSuchName } from './nearest-name.js';
import { problemOfPath } from './path-pattern.js';

/** Node's timers turn a longer time into 1 ms. */
const MOST = 2 ** 31 - 1;

/** Reads one group of options. Each getter checks one option and returns its value or its default. */
export class OptionChecks {
  readonly #given: Record<string, unknown>;
  readonly #read = new Set<string>();

  /**
   * @param name what the group is called in messages, '' for the options themselves
   * @param owner whose options they are
   */
  constructor(
    readonly name: string,
    given: unknown,
    owner = 'PxlWebSocketModule',
  ) {
    // A factory that forgot to return the options must not get the defaults.
    const isOptional = name !== '';
    if (!isGroup(given) && (given !== undefined || !isOptional)) {
      const what = name === '' ? `The options of ${owner} are` : `The option ${name} is`;
      throw new PxlWebSocketOptionsError(`${what} an object, not ${describe(given)}.`);
    }
    this.#given = given ?? {};
  }

  boolean(option: string, fallback: boolean): boolean {
    return this.#check(option, fallback, (value) => typeof value === 'boolean', 'true or false') as boolean;
  }

  /** A whole number of at least `least`. */
  integer(option: string, fallback: number, least: number): number {
    const fits = (value: unknown): boolean => isWhole(value, least);
    return this.#check(option, fallback, fits, `a whole number from ${least} to ${MOST}`) as number;
  }

  /**
   * A time in milliseconds of at least `least`. A smaller number is taken for one in seconds, and the message says so.
   */
  time(option: string, fallback: number, least: number): number {
    const given = this.#given[option];
    const inSeconds = typeof given === 'number' && given > 0 && given < least;
    const shown = inSeconds ? `${given}: did you mean ${given * 1_000}?` : describe(given);
    const fits = (value: unknown): boolean => isWhole(value, least);
    const allowed = `a whole number of milliseconds from ${least} to ${MOST}`;
    return this.#check(option, fallback, fits, allowed, shown) as number;
  }

  /** A whole number of at least `least`, or false: no limit. */
  limit(option: string, fallback: number | false, least: number): number | false {
    const fits = (value: unknown): boolean => value === false || isWhole(value, least);
    return this.#check(option, fallback, fits, `a whole number from ${least} to ${MOST}, or false`) as number | false;
  }

  /** A path as it stands in a request, but for its parameters: it begins with a slash and holds no query. */
  path(option: string, fallback: string): string {
    const given = this.#given[option];
    const problem = typeof given === 'string' ? problemOfPath(given) : undefined;
    const fits = (value: unknown): boolean =>
      typeof value === 'string' && value.startsWith('/') && problem === undefined;
    const why = problem === undefined ? '' : `: ${problem}`;
    const shown = typeof given === 'string' ? `${JSON.stringify(given.slice(0, 40))}${why}` : describe(given);
    return this.#check(option, fallback, fits, "a path like '/ws' or '/ws/:tenant', without a query", shown) as string;
  }

  texts(option: string, fallback: readonly string[] = []): readonly string[] {
    const given = this.raw(option) ?? fallback;
    if (!Array.isArray(given)) return this.refuse(option, 'a list of texts');
    return this.every(option, given, isText, 'a text that is not empty');
  }

  /** A list of some of a few words. */
  words<T extends string>(option: string, known: readonly T[], fallback: readonly T[] = []): readonly T[] {
    const isKnown = (word: unknown): word is T => known.some((one) => one === word);
    const shown = (word: unknown): string => describeWord(word, known);
    return this.every(option, this.texts(option, fallback), isKnown, `of ${known.join(', ')}`, shown);
  }

  /**
   * The list, if all its entries fit; otherwise the first one that does not is refused, named by its place.
   *
   * @param shown what the message says of that entry; by default nothing that could be a secret
   */
  every<T>(
    option: string,
    list: readonly unknown[],
    fits: (entry: unknown) => entry is T,
    allowed: string,
    shown: (entry: unknown) => string = describe,
  ): readonly T[] {
    const at = list.findIndex((entry) => !fits(entry));
    return at < 0 ? (list as readonly T[]) : this.refuse(`${option}[${at}]`, allowed, shown(list[at]));
  }

  /** A function, or undefined when none was given. It is bound to the options object that it was given in. */
  callback(option: string): ((...args: unknown[]) => unknown) | undefined {
    // A class can only be called with `new`, which nothing here does.
    const fits = (value: unknown): boolean => typeof value === 'function' && !isClass(value);
    const callback = this.#check(option, undefined, fits, 'a function') as
      ((...args: unknown[]) => unknown) | undefined;
    return callback?.bind(this.#given);
  }

  /** One of a few words; the default is the first of them unless `fallback` is another. */
  oneOf<T extends string>(option: string, words: readonly [T, ...T[]], fallback = words[0]): T {
    const given = this.raw(option) ?? fallback;
    const word = words.find((candidate) => candidate === given);
    return word ?? this.refuse(option, words.map((one) => `'${one}'`).join(' or '), describeWord(given, words));
  }

  /** The checks of a nested group of options. */
  group(option: string): OptionChecks {
    this.#read.add(option);
    return new OptionChecks(this.#path(option), this.#given[option]);
  }

  /** Reads a nested group of options as a whole, refuses what `read` has not asked for, and freezes the result. */
  inGroup<T extends object>(option: string, read: (group: OptionChecks) => T): Readonly<T> {
    const group = this.group(option);
    const resolved = read(group);
    group.finish();
    return Object.freeze(resolved);
  }

  /** The option as it was given, for checks that this class does not have. */
  raw(option: string): unknown {
    this.#read.add(option);
    return this.#given[option];
  }

  /** @param given what the message says of the given value; by default nothing that could be a secret */
  refuse(option: string, allowed: string, given = describe(this.#given[option])): never {
    const end = /[.?!]$/.test(given) ? '' : '.';
    throw new PxlWebSocketOptionsError(`The option ${this.#path(option)} is ${allowed}, not ${given}${end}`);
  }

  /**
   * Refuses options that no getter has read: a misspelt one would silently do nothing.
   *
   * @param former what to use here instead of options of PXL and Ignis, by their names there
   */
  finish(former?: ReadonlyMap<string, string>): void {
    for (const option of Object.keys(this.#given)) {
      if (this.#read.has(option) || this.#given[option] === undefined) continue;
      const here = former?.get(option);
      if (here !== undefined) {
        throw new PxlWebSocketOptionsError(`There is no option ${this.#path(option)}: here it is ${here}.`);
      }
      throw new PxlWebSocketOptionsError(noSuchName('option', this.#path(option), [...this.#read]));
    }
  }

  #check(
    option: string,
    fallback: unknown,
    fits: (value: unknown) => boolean,
    allowed: string,
    shown?: string,
  ): unknown {
    this.#read.add(option);
    const value = this.#given[option];
    if (value === undefined) return fallback;
    if (!fits(value)) this.refuse(option, allowed, shown);
    return value;
  }

  #path(option: string): string {
    return this.name ? `${this.name}.${option}` : option;
  }
}

const KINDS: Readonly<Record<string, string>> = { string: 'a text', object: 'an object' };

/** How a message shows a given value. Of texts and objects it shows the kind only, since options hold secrets. */
export function describe(value: unknown): string {
  if (value === '') return 'an empty text';
  if (typeof value === 'number' || typeof value === 'boolean' || value == null) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (isClass(value)) return `the class ${value.name || 'without a name'}`;
  return KINDS[typeof value] ?? `a ${typeof value}`;
}

/** How a message shows a value where one of a few words is expected: by its kind, with the word that was probably meant. */
export function describeWord(value: unknown, known: readonly string[]): string {
  const meant = typeof value === 'string' ? nearestName(value, known) : undefined;
  return meant === undefined ? describe(value) : `${describe(value)} that is none of them: did you mean '${meant}'?`;
}

/** Whether the value is an object, as a group of options is. */
export function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isWhole(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= MOST;
}
