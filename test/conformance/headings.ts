import { readFileSync } from 'node:fs';

const PROTOCOL = new URL('../../PROTOCOL.md', import.meta.url);

/** The part of PROTOCOL.md about the second codec. */
const EVENT_PART = 'Codec event.v1';
const ENCRYPTION_PART = 'Encryption';
const PRESENCE_PART = 'Presence';
const HISTORY_PART = 'Rooms with history';
/** The parts that have a spec of their own. */
const OWN_SPECS: readonly string[] = [EVENT_PART, ENCRYPTION_PART, PRESENCE_PART, HISTORY_PART];

/** The headings of PROTOCOL.md, down to the third level, without those of the parts that have a spec of their own. */
export function protocolHeadings(): string[] {
  return headings()
    .filter(({ part }) => !OWN_SPECS.includes(part))
    .map(({ heading }) => heading);
}

/** The headings of the part about encryption. */
export function encryptionHeadings(): string[] {
  return headingsOf(ENCRYPTION_PART);
}

/** The headings of the part about presence. */
export function presenceHeadings(): string[] {
  return headingsOf(PRESENCE_PART);
}

/** The headings of the part about rooms with history. */
export function historyHeadings(): string[] {
  return headingsOf(HISTORY_PART);
}

/** The headings of the second codec's part of PROTOCOL.md. */
export function eventHeadings(): string[] {
  return headingsOf(EVENT_PART);
}

function headingsOf(name: string): string[] {
  return headings()
    .filter(({ part }) => part === name)
    .map(({ heading }) => heading);
}

/** PROTOCOL.md from the heading on. */
export function protocolFrom(heading: string): string {
  const text = protocolText();
  return text.slice(text.indexOf(`# ${heading}\n`));
}

function protocolText(): string {
  return readFileSync(PROTOCOL, 'utf8');
}

function headings(): { part: string; heading: string }[] {
  const text = protocolText().replace(/^```[\s\S]*?^```/gm, '');
  let part = '';
  return [...text.matchAll(/^(#{2,3}) (.+)$/gm)].map(([, level, heading]) => {
    if (level === '##') part = heading!;
    return { part, heading: heading! };
  });
}

/** The table of close codes: the codes of each row that names some, and what the client does. */
export function closeCodeRows(): [codes: number[], reaction: string][] {
  const [, table = ''] = protocolText().split('\n## Close codes\n');
  return [...table.matchAll(/^\| (\d{4}(?:, \d{4})*) \|.*\| (.*) \|$/gm)].map(([, codes, reaction]) => [
    codes!.split(', ').map(Number),
    reaction!,
  ]);
}
