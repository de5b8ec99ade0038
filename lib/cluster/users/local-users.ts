/** A user with sessions on this worker, or one that the cluster still counts as here. */
export interface LocalUser {
  readonly userId: string;
  sessions: number;
  /** Whether the cluster counts it as here, as far as it was told. */
  isEntered: boolean;
  /** Whether a step of it is under way, or nobody knows if it came through. */
  isOpen: boolean;
}

/** The users of this worker by their sessions, and those of whom the cluster may not know yet. */
export class LocalUsers {
  readonly #users = new Map<string, LocalUser>();
  readonly #changed = new Set<LocalUser>();

  /** How many there are. */
  get size(): number {
    return this.#users.size;
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0;
  }

  all(): Iterable<LocalUser> {
    return this.#users.values();
  }

  /** Counts a session. */
  open(userId: string): void {
    let user = this.#users.get(userId);
    if (!user) this.#users.set(userId, (user = { userId, sessions: 0, isEntered: false, isOpen: false }));
    if (++user.sessions === 1) this.touch(user);
  }

  /** Counts a session out; does nothing when there is none. */
  close(userId: string): void {
    const user = this.#users.get(userId);
    if (user && user.sessions > 0 && --user.sessions === 0) this.touch(user);
  }

  /** Something has become of the user: judges anew whether the cluster has to know. */
  touch(user: LocalUser): void {
    const isHere = user.sessions > 0;
    if (isHere !== user.isEntered || user.isOpen) {
      this.#changed.add(user);
      return;
    }
    this.#changed.delete(user);
    if (!isHere) this.#users.delete(user.userId);
  }

  /** Takes up to `limit` of those that have changed. */
  takeChanged(limit: number): LocalUser[] {
    const taken: LocalUser[] = [];
    for (const user of this.#changed) {
      if (taken.push(user) === limit) break;
    }
    for (const user of taken) this.#changed.delete(user);
    return taken;
  }
}
