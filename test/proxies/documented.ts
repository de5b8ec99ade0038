import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The page whose configurations run. */
export const PAGE = join(process.cwd(), 'docs/behind-a-proxy.md');

/** What takes the place of the documented ports and files. */
export interface Places {
  readonly http: number;
  readonly https: number;
  readonly worker1: number;
  readonly worker2: number;
  /** The folder of `example.com.pem` and `example.com.key`. */
  readonly certificates: string;
}

/** @returns the block of code of a language below a heading of the page */
export function documented(heading: string, language: string): string {
  const section = readFileSync(PAGE, 'utf8')
    .split(/^## /m)
    .find((text) => text.startsWith(`${heading}\n`));
  const [, code] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(section ?? '') ?? [];
  if (code === undefined) throw new Error(`${PAGE} has no block of ${language} below "${heading}".`);
  return code;
}

/** The lines as they are documented, but for ports and the folder of certificates. */
export function placed(lines: string, places: Places): string {
  const ports: Record<string, number> = {
    80: places.http,
    443: places.https,
    3000: places.worker1,
    3001: places.worker2,
  };
  return lines
    .replaceAll(/\b(?:80|443|3000|3001)\b/g, (port) => String(ports[port]))
    .replaceAll(/\/etc\/(?:ssl|haproxy)(?=\/example)/g, places.certificates);
}

/** Text with something else in the place of what fits; which has to be there, once. */
export function replaced(text: string, what: RegExp, by: string): string {
  if (!what.test(text)) throw new Error(`Nothing fits ${String(what)} in the documented lines:\n${text}`);
  return text.replace(what, () => by);
}
