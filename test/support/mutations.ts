import type { SeededRandom } from './seeded-random.js';

const VALUES = [
  'null',
  'true',
  '0',
  '-1',
  '1e400',
  '""',
  '"__proto__"',
  '"*"',
  '[]',
  '[[]]',
  '{}',
  '{"length":9}',
  '"\\ud800"',
];
/** A value of a JSON text. */
const VALUE = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null/g;

/** A text that is almost the given one: cut, with other bytes, or with other JSON values in places of its own. */
export function mutationOf(text: string, random: SeededRandom): string {
  switch (random.below(5)) {
    case 0:
      return text.slice(0, random.below(text.length));
    case 1: {
      const at = random.below(text.length);
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
    }
    case 2:
      return text + text;
    default: {
      const chosen = random.below(text.match(VALUE)?.length ?? 1);
      let at = 0;
      return text.replace(VALUE, (value) => (at++ === chosen ? random.pick(VALUES) : value));
    }
  }
}
