import type { Runtime } from '../../runtime/runtime.js';
import { isHere, OwnSubjects } from './own-subjects.js';
import { inOrder, type SubjectEnd, type Subjects, type SubjectsHost } from './subjects.interface.js';

/** {@link Subjects} of a single worker. */
export class MemorySubjects<Note = never> implements Subjects<Note> {
  readonly #own = new OwnSubjects<Note>();
  #isDue = false;

  /** @param tell takes the news. Must not throw */
  constructor(
    private readonly host: SubjectsHost<Note>,
    private readonly tell: (news: string) => void,
    private readonly runtime: Runtime,
  ) {}

  open(name: string): void {
    this.#own.open(name);
    this.#tellSoon();
  }

  close(name: string, end?: SubjectEnd<Note>): void {
    this.#own.close(name, false, end?.note);
    this.#tellSoon();
  }

  /** At the end of this turn of the event loop: what comes and goes in one turn is nobody's news. */
  #tellSoon(): void {
    if (this.#isDue || !this.#own.hasChanged) return;
    this.#isDue = true;
    this.runtime.afterIo(() => {
      this.#isDue = false;
      this.#tellChanges();
    });
  }

  #tellChanges(): void {
    const changed = this.#own.takeChanged(Infinity);
    const changes = changed.map((subject) => ({ subject, name: subject.name, enters: isHere(subject) }));
    for (const { subject, name, enters } of inOrder(this.host, changes)) {
      const news = this.host.news(name, enters, subject.note);
      subject.isEntered = enters;
      this.#own.touch(subject);
      this.tell(news);
    }
  }
}
