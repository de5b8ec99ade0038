import { expect } from '@jest/globals';

/** Expects a text of XML without comments to be well-formed: one root, all tags closed in their order, no bare `&`, quoted attributes. */
export function expectTags(xml: string): void {
  const open: string[] = [];
  const roots: string[] = [];
  const rest = xml.replaceAll(
    /<(\/?)([\w-]+)((?:\s+[\w:-]+="[^"<&]*")*)\s*(\/?)>/g,
    (_tag, end, name: string, _all, empty) => {
      if (end) expect(open.pop()).toBe(name);
      else if (open.length === 0) roots.push(name);
      if (!end && !empty) open.push(name);
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(roots).toHaveLength(1);
  expect(rest).not.toMatch(/<|&(?!amp;|lt;|gt;)/);
}
