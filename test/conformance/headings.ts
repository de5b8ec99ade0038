import { readFileSync } from 'node:fs';

/** The headings of PROTOCOL.md, down to the third level. */
export function protocolHeadings(): string[] {
  const text = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/^#{2,3} (.+)$/gm)].map(([, heading]) => heading!);
}
