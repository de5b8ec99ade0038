import type { RedisLink } from '../../redis/link/redis-link.js';
import { chunksOf } from '../../runtime/chunks.js';
import { BUCKETS, bucketKey, bucketOf, byBucket, readBucket } from './buckets.js';
import { SubjectBucket, type SubjectChange } from './subject-bucket.js';
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

  constructor(
    private readonly link: RedisLink,
    private readonly host: SubjectsHost<Note>,
    private readonly options: SubjectEntriesOptions,
  ) {}

  /**
   * Adds this worker's entries, or removes them, with news.
   *
   * @param subjects of one bucket
   * @param until where this worker stops: until when the subjects outlast it
   */
  async write(subjects: readonly (Written<Note> & { readonly enters: boolean })[], until?: number): Promise<void> {
    const steps = inOrder(this.host, subjects).map(({ name, note, enters }) => {
      return { step: enters ? '+' : '-', name, news: this.host.news(name, enters, note) } as const;
    });
    await this.#change({ steps, channel: this.host.channel }, until);
  }

  /** Adds this worker's entries, without news. */
  async restore(subjects: readonly Written<Note>[]): Promise<void> {
    for (const some of this.#chunksOf(subjects)) {
      await this.#change({ steps: some.map(({ name }) => ({ step: '+', name, news: '' })), channel: null });
    }
  }

  /** Removes this worker's entries of the subjects that others have. @returns those of which it has none now */
  async leave(subjects: readonly Written<Note>[]): Promise<ReadonlySet<string>> {
    const left = new Set<string>();
    for (const some of this.#chunksOf(subjects)) {
      const steps = some.map(({ name }) => ({ step: '~', name, news: '' }) as const);
      for (const name of await this.#change({ steps, channel: null })) left.add(name);
    }
    return left;
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
          await new SubjectBucket(this.link, key).change({ whose: `${entry} `, entry: '', steps, channel });
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

  byBucket<Subject extends { readonly name: string }>(subjects: Iterable<Subject>): Map<number, Subject[]> {
    return byBucket(subjects, ({ name }) => this.host.groupOf(name));
  }

  *#chunksOf(subjects: readonly Written<Note>[]): Generator<Written<Note>[]> {
    for (const some of this.byBucket(subjects).values()) yield* chunksOf(some, BATCH);
  }

  #change(change: Pick<SubjectChange, 'steps' | 'channel'>, until?: number): Promise<readonly string[]> {
    const { workerId } = this.options;
    const [first] = change.steps;
    const key = this.#keyOf(bucketOf(this.host.groupOf(first?.name ?? '')));
    const [whose, entry] = [`${workerId}.`, entryOf(workerId, this.incarnation, until)];
    return new SubjectBucket(this.link, key).change({ ...change, whose, entry });
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
  const found = new Map<string, string[]>();
  for (const [name, entries] of page) {
    for (const entry of entries.filter(isWanted)) found.set(entry, [...(found.get(entry) ?? []), name]);
  }
  return found;
}
