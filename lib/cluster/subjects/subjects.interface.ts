/**
 * What is there as long as some worker has it: a user with sessions, a room with members, a member. Each has a name. The first
 * worker that has a subject, and the end of the last one, are news for the whole cluster.
 */
export interface Subjects<Note = never> {
  /** This worker has the subject once more. */
  open(name: string): void;
  /**
   * This worker has the subject once less.
   *
   * @param end where this was the last time
   */
  close(name: string, end?: SubjectEnd<Note>): void;
}

/** How a subject ends on a worker. */
export interface SubjectEnd<Note> {
  /** What the news of its end is made of. */
  readonly note: Note;
  /** Another worker has it, or is about to: it lasts here until that is certain, or until this time (ms since 1970). */
  readonly until?: number | undefined;
}

/** What decides about the subjects of one kind. The calls must not throw. */
export interface SubjectsHost<Note = never> {
  /** The channel of the news. */
  readonly channel: string;
  /** What subjects have in common that are told in order: they are kept in one place. */
  groupOf(name: string): string;
  /** Whether the subject comes before the others of its group, and goes after them. Default: none does. */
  isFrame?(name: string): boolean;
  /** The text that tells of a subject's beginning, or of its end. @param note of the end, where this worker had it */
  news(name: string, begins: boolean, note: Note | undefined): string;
  /** How a subject ends that a dead worker has left; null: at once. @param until as that worker has said when it stopped */
  inherits?(name: string, until: number | undefined): Required<SubjectEnd<Note>> | null;
  /** For how many ms a subject outlasts its worker when that stops. Default: 0. */
  outlasts?(name: string): number;
  /** These subjects of a dead worker are about to be removed. @param at until when it lived, in ms since 1970 */
  removes?(names: readonly string[], at: number): Promise<void>;
}

/** The changes in the order in which they are told: frames come before what is in them, and go after it. */
export function inOrder<Change extends { readonly name: string; readonly enters: boolean }>(
  host: Pick<SubjectsHost, 'isFrame'>,
  changes: readonly Change[],
): Change[] {
  const rank = ({ name, enters }: Change): number => {
    const isFrame = host.isFrame?.(name) ?? false;
    return enters ? Number(!isFrame) : 2 + Number(isFrame);
  };
  return host.isFrame ? [...changes].sort((a, b) => rank(a) - rank(b)) : [...changes];
}
