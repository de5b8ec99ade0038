/** A user with sessions on this worker, or one for whom Redis may still have an entry of this worker. */
export interface LocalUser {
  readonly userId: string;
  sessions: number;
  /** Whether Redis has this worker's entry, after the last confirmed change. */
  isEntered: boolean;
  /** Whether a change was sent and not confirmed, so that it may have been carried out or not. */
  isUnconfirmed: boolean;
}

/** The users of this worker with their numbers of sessions, and those whose entries in Redis have to change. */
export class LocalUsers {
  readonly #users = new Map<string, LocalUser>();
  readonly #changed = new Set<LocalUser>();

  get size(): number {
    return this.#users.size;
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0;
  }

  all(): Iterable<LocalUser> {
    return this.#users.values();
  }

  /** Adds a session. */
  open(userId: string): void {
    let user = this.#users.get(userId);
    if (!user) this.#users.set(userId, (user = { userId, sessions: 0, isEntered: false, isUnconfirmed: false }));
    if (++user.sessions === 1) this.touch(user);
  }

  /** Removes a session; does nothing when there is none. */
  close(userId: string): void {
    const user = this.#users.get(userId);
    if (user && user.sessions > 0 && --user.sessions === 0) this.touch(user);
  }

  /** Decides anew whether the entry of the user has to change; to be called after each change of a {@link LocalUser}. */
  touch(user: LocalUser): void {
    const isHere = user.sessions > 0;
    if (isHere !== user.isEntered || user.isUnconfirmed) {
      this.#changed.add(user);
      return;
    }
    this.#changed.delete(user);
    if (!isHere) this.#users.delete(user.userId);
  }

  /** Takes up to `limit` of the users whose entries have to change. */
  takeChanged(limit: number): LocalUser[] {
    const taken: LocalUser[] = [];
    for (const user of this.#changed) {
      if (taken.push(user) === limit) break;
    }
    for (const user of taken) this.#changed.delete(user);
    return taken;
  }
}
