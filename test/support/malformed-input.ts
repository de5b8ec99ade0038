import { PROTOTYPE_NAMES, type Dialect } from './dialect.js';
import type { SeededRandom } from './seeded-random.js';

/** A message to send, and what has to come back. */
export interface MalformedCase {
  readonly frames: readonly { readonly data: string; readonly binary: boolean }[];
  /** The id that one of the answers carries; undefined: they carry none, or one of the sender's own making. */
  readonly id: string | undefined;
}

const TEXTS = [
  ...PROTOTYPE_NAMES,
  '',
  ' ',
  '*',
  'a:b',
  ':',
  'null',
  '0',
  '🎲',
  '\u0000',
  '\u2028',
  '\ud800',
  '"',
  '\\',
];
const NUMBERS = ['0', '-0', '-1', '1', '1.5', '1e308', '-1e308', '9007199254740993', '5e-324', '1E400'];
const FIELDS = [
  ...['roomName', 'username', 'id', 'callId', 'response', 'error', 'token', 'userId', 'rooms', 'length'],
  ...['since', 'history', 'was', 'limit', 'reverse', 'room', 'presence', 'state', 'after', 'action', 'data'],
];

/** Makes messages as no client library would: wrong in every field, or no message at all. Never larger than the limit. */
export class MalformedInput {
  #lastId = 0;

  constructor(
    private readonly random: SeededRandom,
    private readonly dialect: Dialect,
  ) {}

  next(): MalformedCase {
    const id = `case-${++this.#lastId}`;
    const dice = this.random.below(100);
    if (dice < 12) return anonymous(this.#noMessage());
    if (dice < 22) return anonymous(this.#noJson());
    if (dice < 26) return { frames: [{ data: this.#builtIn(id), binary: true }], id: undefined };
    if (dice < 60) return { frames: [text(this.#builtIn(id))], id };
    if (dice < 68) return anonymous(this.#builtIn(undefined));
    if (dice < 80) return { frames: [text(this.#wrongNames(id))], id };
    const echo = this.dialect.names('test', 'echo');
    if (dice < 86) return anonymous(`{${echo},"id":${this.#value(2)}}`);
    if (dice < 91) {
      const twice = text(`{${this.dialect.names('test', 'slow')},"id":"${id}"}`);
      return { frames: [twice, twice], id };
    }
    return { frames: [text(`{${echo},"id":"${id}","data":${this.#value(4)}}`)], id };
  }

  /** JSON that is no message, since it is no object or has no names. */
  #noMessage(): string {
    return this.random.chance(0.5) ? this.#value(3) : `{"data":${this.#value(2)}}`;
  }

  #noJson(): string {
    const valid = this.#builtIn('cut');
    const cut = valid.slice(0, this.random.below(valid.length));
    return this.random.pick([cut, `${valid},`, `\ufeff${valid}`, valid.replaceAll('"', "'"), 'undefined', 'NaN', '']);
  }

  #builtIn(id: string | undefined): string {
    const names = this.random.pick(id === undefined ? this.dialect.answered : this.dialect.builtIn);
    const data = this.random.chance(0.3) ? this.#value(3) : this.#fields();
    const named = `${names},"data":${data}`;
    return id === undefined ? `{${named}}` : `{"id":"${id}",${named}}`;
  }

  #fields(): string {
    const fields: string[] = [];
    for (let count = this.random.below(4); count >= 0; count--) {
      fields.push(this.#field());
    }
    return `{${fields.join(',')}}`;
  }

  #field(): string {
    const name = this.random.pick(FIELDS);
    const isNearlyRight = this.random.chance(0.5);
    if (name === 'roomName' && isNearlyRight) return `"roomName":"${this.random.pick(['lobby', '*'])}"`;
    if (name === 'since' && isNearlyRight) return `"since":{"epoch":${this.#text()},"offset":${this.#value(0)}}`;
    if (name === 'rooms' && isNearlyRight) return `"rooms":[{"room":"*",${this.#field()}},${this.#value(1)}]`;
    return `"${name}":${this.#value(2)}`;
  }

  #wrongNames(id: string): string {
    const names = this.dialect.wrongNames(this.#value(1), this.#value(1));
    return `{"id":"${id}",${this.random.pick(names)}}`;
  }

  /** Any JSON value, as its text: an object literal could not hold a field `__proto__`. */
  #value(depth: number): string {
    const dice = this.random.below(depth > 0 ? 10 : 6);
    if (dice === 0) return 'null';
    if (dice === 1) return this.random.pick(['true', 'false']);
    if (dice === 2) return this.random.pick(NUMBERS);
    if (dice < 6) return this.#text();
    if (dice === 6) return this.#deep();
    const values = Array.from({ length: this.random.below(4) }, () => this.#value(depth - 1));
    if (dice === 7) return `[${values.join(',')}]`;
    const key = (): string =>
      JSON.stringify(this.random.pick([...TEXTS, 'length', 'type', 'action', 'then', 'toJSON']));
    return `{${values.map((value) => `${key()}:${value}`).join(',')}}`;
  }

  #text(): string {
    if (this.random.chance(0.005)) return JSON.stringify('x'.repeat(10_000 + this.random.below(2_000)));
    if (this.random.chance(0.1)) return JSON.stringify('y'.repeat(60 + this.random.below(80)));
    return JSON.stringify(this.random.pick(TEXTS));
  }

  #deep(): string {
    const levels = this.random.chance(0.02) ? 1_500 : 1 + this.random.below(40);
    return this.random.chance(0.5)
      ? `${'['.repeat(levels)}${']'.repeat(levels)}`
      : `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  }
}

function text(data: string): { data: string; binary: boolean } {
  return { data, binary: false };
}

function anonymous(data: string): MalformedCase {
  return { frames: [text(data)], id: undefined };
}
