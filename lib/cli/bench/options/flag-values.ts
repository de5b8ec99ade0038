import { UsageError } from '../../command.js';
import { isName } from '../../../protocol/frame-fields.js';
import { routeOfEvent } from '../../../protocol/route-key.js';

/** Reads the values of the flags, and says of a wrong one what it has to be. */
export class FlagValues {
  constructor(private readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>) {}

  has(flag: string): boolean {
    return this.values[flag] !== undefined;
  }

  isSet(flag: string): boolean {
    return this.values[flag] === true;
  }

  text(flag: string): string | undefined {
    const value = this.values[flag];
    return typeof value === 'string' ? value : undefined;
  }

  texts(flag: string): readonly string[] {
    const value = this.values[flag];
    return typeof value === 'object' ? value : [];
  }

  /** A whole number, at least `least`. */
  count(flag: string, otherwise: number, least = 1): number {
    const text = this.text(flag);
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= 10_000_000) return value;
    throw new UsageError(`--${flag} has to be a whole number from ${least} to 10000000, not ${quoted(text)}.`);
  }

  /** A number above 0. */
  rate(flag: string, otherwise: number): number {
    const text = this.text(flag);
    if (text === undefined) return otherwise;
    const value = Number(text);
    if (/^\d+(?:\.\d+)?$/.test(text) && value > 0 && value <= 1_000_000) return value;
    throw new UsageError(`--${flag} has to be a number above 0, times a second, not ${quoted(text)}.`);
  }

  /** A time in ms. */
  time(flag: string): number | undefined {
    const text = this.text(flag);
    if (text === undefined) return undefined;
    const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
    const ms = Number(number) * (UNITS[unit] ?? 0);
    if (ms > 0 && ms <= 2e9) return ms;
    throw new UsageError(`--${flag} has to be a time with its unit, as 500ms, 30s or 2m, not ${quoted(text)}.`);
  }

  /** A part of everything, from 0 to 1; said in percent. */
  percentage(flag: string): number | undefined {
    const text = this.text(flag);
    if (text === undefined) return undefined;
    const value = Number(text.replace(/%$/, '')) / 100;
    if (/^\d+(?:\.\d+)?%?$/.test(text) && value <= 1) return value;
    throw new UsageError(`--${flag} has to be a percentage from 0 to 100, as 0.1%, not ${quoted(text)}.`);
  }

  oneOf<Name extends string>(flag: string, names: readonly Name[], otherwise: Name): Name {
    const text = this.text(flag);
    if (text === undefined) return otherwise;
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    throw new UsageError(`--${flag} has to be ${names.join(' or ')}, not ${quoted(text)}.`);
  }

  /** The names of a message: `TYPE:ACTION`, or an event's name. */
  route(flag: string): RouteNames | undefined {
    const text = this.text(flag);
    if (text === undefined) return undefined;
    const names = routeOfEvent(text);
    if (isName(names.type) && isName(names.action)) return names;
    throw new UsageError(`--${flag} has to be the name of a message, as chat:say, not ${quoted(text)}.`);
  }

  /** Text of JSON. */
  json(flag: string): string | undefined {
    const text = this.text(flag);
    if (text === undefined) return undefined;
    try {
      return JSON.stringify(JSON.parse(text));
    } catch (error) {
      throw new UsageError(`--${flag} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

export interface RouteNames {
  readonly type: string;
  readonly action: string;
}

const UNITS: Readonly<Partial<Record<string, number>>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

function quoted(text: string): string {
  return JSON.stringify(text);
}
