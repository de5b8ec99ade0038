/** Settles, and never rejects, once something has finished; null: it has. */
export type Finish = Promise<void> | null;

/** The work of one subscriber: in the order in which it came, one piece at a time. What can run at once does. */
export class SubscriberQueue {
  #last: Finish = null;
  #waiting = 0;

  /** The end of all that has come so far. */
  get finish(): Finish {
    return this.#last;
  }

  /** How many pieces wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * @param before has to be over too
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
