/** What shows which runtime this is, and what the application does on it. */
export interface RuntimeSurroundings {
  /** `process.versions` */
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly showsWriteProgress: boolean;
  /** Whether anything in this process listens to a signal. */
  readonly listensTo: (signal: 'SIGTERM') => boolean;
}

export interface RuntimeNote {
  readonly level: 'log' | 'warn';
  readonly text: string;
}

/** From where on CommonJS can require ES modules, by major version; other majors below 24 never could without a flag. */
const REQUIRING: Readonly<Record<number, number>> = { 20: 19, 22: 12, 23: 0 };

/** What has to be known of the runtime: a sentence for each thing that is not as on the newest Node. */
export function runtimeNotes({ versions, showsWriteProgress, listensTo }: RuntimeSurroundings): RuntimeNote[] {
  const notes: RuntimeNote[] = [];
  const isNode = versions.bun === undefined && versions.deno === undefined;
  if (isNode && isOld(versions.node)) {
    notes.push({
      level: 'warn',
      text:
        `Node.js ${versions.node} is older than 20.19 or 22.12: this package is not tested on it, ` +
        'and CommonJS applications cannot require it there.',
    });
  }
  if (versions.bun !== undefined && isBefore(versions.bun, [1, 4, 4])) {
    notes.push({
      level: 'warn',
      text:
        `Bun ${versions.bun} does not tell what waits for a client: slow readers are not noticed, and ` +
        'limits.maxBufferedBytes limits nothing. Bun 1.4.4 and newer do.',
    });
  }
  if (versions.deno !== undefined && !listensTo('SIGTERM')) {
    notes.push({
      level: 'warn',
      text:
        'Nothing listens to SIGTERM, which will cut all clients: call ' +
        "app.enableShutdownHooks(['SIGTERM', 'SIGINT']) before listen(), with the signals named, since Deno has not all of Nest's.",
    });
  }
  if (!showsWriteProgress) {
    notes.push({
      level: 'log',
      text: 'This runtime does not tell how much of a write has left: slow readers are judged by the writes that were completed.',
    });
  }
  return notes;
}

function isOld(version = ''): boolean {
  const [major = 0, minor = 0] = numbersOf(version);
  return major < 24 && !(minor >= (REQUIRING[major] ?? Infinity));
}

function isBefore(version: string, first: readonly number[]): boolean {
  const numbers = numbersOf(version);
  const at = first.findIndex((number, index) => number !== numbers[index]);
  return at >= 0 && (numbers[at] ?? 0) < (first[at] ?? 0);
}

function numbersOf(version: string): number[] {
  return version.split('.').map((part) => Number.parseInt(part));
}
