import type { RedisLink } from '../../redis/link/redis-link.js';
import { chunksOf } from '../../runtime/chunks.js';
import { BucketCommands } from './bucket-commands.js';
import { BUCKETS, bucketKey, byBucket, readBucket } from './buckets.js';
import { SubjectBuckets, type SubjectChange, type SubjectStep } from './subject-buckets.js';
import { inOrder, type SubjectsHost } from './subjects.interface.js';

/** How many subjects are written at a time. */
export const BATCH = 1_000;

/** A subject whose entry is written. */
interface Written<Note> {
  readonly name: string;
  readonly note?: Note | undefined;
}

/** Where the entries are, and whose this worker's are. */
export interface SubjectEntriesOptions {
  readonly prefix: string;
  readonly workerId: string;
  /** What the buckets are called: whose they are, and what they hold. */
  readonly bucket: readonly [what: string, content: string];
}

/** The entries in Redis that tell which workers have which subjects. Each method fails as `RedisLink.run` does. */
export class SubjectEntries<Note> {
  /** This worker's. 0 while it has not entered the registry. */
  incarnation = 0;
  readonly #buckets: SubjectBuckets;
  readonly #commands: BucketCommands;

  constructor(
    private readonly link: RedisLink,
    private readonly host: SubjectsHost<Note>,
    private readonly options: SubjectEntriesOptions,
  ) {
    this.#buckets = new SubjectBuckets(link, (bucket) => this.#keyOf(bucket));
    this.#commands = new BucketCommands(link);
  }

  /** Has subjects written by as few commands as may be. @see BucketCommands.send */
  inCommands<Subject extends Written<Note>>(
    subjects: readonly Subject[],
    write: (some: readonly Subject[]) => Promise<void>,
  ): Promise<void> {
    return this.#commands.send(subjects, (all) => this.#byBucket(all), write);
  }

  /**
   * Adds this worker's entries, or removes them, with news.
   *
   * @param subjects of one command
   * @param until where this worker stops: until when the subjects outlast it
   */
  async write(subjects: readonly (Written<Note> & { readonly enters: boolean })[], until?: number): Promise<void> {
    const buckets = new Map<number, SubjectStep[]>();
    for (const [bucket, some] of this.#byBucket(subjects)) {
      const steps = inOrder(this.host, some).map(({ name, note, enters }) => {
        return { step: enters ? '+' : '-', name, news: this.host.news(name, enters, note) } as const;
      });
      buckets.set(bucket, steps);
    }
    await this.#change({ buckets, channel: this.host.channel }, until);
  }

  /** Adds this worker's entries, without news. */
  async restore(subjects: readonly Written<Note>[]): Promise<void> {
    await this.#writeSilently(subjects, '+');
  }

  /** Removes this worker's entries of the subjects that others have. @returns those of which it has none now */
  async leave(subjects: readonly Written<Note>[]): Promise<ReadonlySet<string>> {
    return new Set(await this.#writeSilently(subjects, '~'));
  }

  /**
   * Removes entries from all buckets.
   *
   * @param isNews whether the end of subjects is told that nobody else has
   * @param before what has to be done first about some of them
   */
  async sweep(
    isWanted: (entry: string) => boolean,
    isNews: boolean,
    before?: (entry: string, names: readonly string[]) => Promise<void>,
  ): Promise<void> {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const key = this.#keyOf(bucket);
      for await (const page of readBucket(this.link, key)) {
        for (const [entry, names] of namesByEntry(page, isWanted)) {
          await before?.(entry, names);
          const steps = inOrder(
            this.host,
            names.map((name) => ({ name, enters: false })),
          ).map(({ name }) => {
            return { step: '-', name, news: isNews ? this.host.news(name, false, undefined) : '' } as const;
          });
          const channel = isNews ? this.host.channel : null;
          await this.#buckets.change({ whose: `${entry} `, entry: '', buckets: new Map([[bucket, steps]]), channel });
        }
      }
    }
  }

  /** Removes the entries of this worker's earlier incarnations, without news. */
  async removeGhosts(): Promise<void> {
    const { workerId } = this.options;
    const [ours, present] = [`${workerId}.`, entryOf(workerId, this.incarnation)];
    await this.sweep((entry) => entry.startsWith(ours) && entry !== present, false);
  }

  #byBucket<Subject extends { readonly name: string }>(subjects: Iterable<Subject>): Map<number, Subject[]> {
    return byBucket(subjects, ({ name }) => this.host.groupOf(name));
  }

  /** Writes by one command after the other. @returns what they answer, together */
  async #writeSilently(subjects: readonly Written<Note>[], step: '+' | '~'): Promise<readonly string[]> {
    const answers: string[] = [];
    for (const [bucket, all] of this.#byBucket(subjects)) {
      for (const some of chunksOf(all, BATCH)) {
        const steps = some.map(({ name }) => ({ step, name, news: '' }));
        answers.push(...(await this.#change({ buckets: new Map([[bucket, steps]]), channel: null })));
      }
    }
    return answers;
  }

  #change(change: Pick<SubjectChange, 'buckets' | 'channel'>, until?: number): Promise<readonly string[]> {
    const { workerId } = this.options;
    const [whose, entry] = [`${workerId}.`, entryOf(workerId, this.incarnation, until)];
    return this.#buckets.change({ ...change, whose, entry });
  }

  #keyOf(bucket: number): string {
    const [what, content] = this.options.bucket;
    return bucketKey(this.options.prefix, what, bucket, content);
  }
}

/**
 * What stands for a worker in the entries of a subject.
 *
 * @param until where the worker has stopped: until when the subject outlasts it, in ms since 1970
 */
export function entryOf(workerId: string, incarnation: number, until?: number): string {
  return until === undefined ? `${workerId}.${incarnation}` : `${workerId}.${incarnation}@${until}`;
}

/** Until when the subject of an entry outlasts a worker that has stopped; undefined: it has not. */
export function untilOf(entry: string): number | undefined {
  const [, until] = entry.split('@');
  return until === undefined ? undefined : Number(until);
}

/** Whether an entry is of this incarnation or of an earlier one, stopped or not. */
export function isOf(entry: string, workerId: string, incarnation: number): boolean {
  const [whose = '', ofWhich] = entry.split(/[.@]/);
  return whose === workerId && Number(ofWhich) <= incarnation;
}

function namesByEntry(page: [string, string[]][], isWanted: (entry: string) => boolean): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const [name, entries] of page) {
    for (const entry of entries.filter(isWanted)) found.set(entry, (found.get(entry) ?? new Set()).add(name));
  }
  return new Map([...found].map(([entry, names]) => [entry, [...names]]));
}
