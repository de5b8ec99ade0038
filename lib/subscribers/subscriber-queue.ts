/** A promise that resolves, and never rejects, when work has finished; null when it has finished already. */
export type Finish = Promise<void> | null;

/** The work of one subscriber, run in order and one piece at a time. Work runs synchronously when nothing is before it. */
export class SubscriberQueue {
  #last: Finish = null;
  #waiting = 0;

  /** The end of all work that was pushed so far. */
  get finish(): Finish {
    return this.#last;
  }

  /** How many pieces of work wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * @param before other work that has to finish first too
   * @param work must not throw, and its promise must not reject
   */
  push(work: () => Finish, before: Finish = null): Finish {
    const turn = both(this.#last, before);
    const finish = turn ? this.#runAfter(turn, work) : work();
    if (!finish) return null;
    this.#last = finish;
    void finish.then(() => {
      if (this.#last === finish) this.#last = null;
    });
    return finish;
  }

  async #runAfter(turn: Promise<unknown>, work: () => Finish): Promise<void> {
    this.#waiting++;
    await turn;
    this.#waiting--;
    await work();
  }
}

function both(one: Finish, other: Finish): Promise<unknown> | null {
  return one && other ? Promise.all([one, other]) : (one ?? other);
}
