/** After so many renewals of the lease everything is written again, so that no error stays for ever. */
const BEATS_PER_REWRITE = 256;

/**
 * How one kind of data is brought in step. A step that rejects is taken again at the next beat; to take it
 * twice must do no harm.
 */
export interface ReconcilerSteps {
  /** Writes again everything that Redis should have of this worker. */
  rewrite(): Promise<void>;
  /** Removes the entries of this worker that it does not know. */
  removeGhosts(): Promise<void>;
  /** Writes what has changed since the last time. */
  writeChanges(): Promise<void>;
}

/**
 * Keeps in step what Redis holds of this worker, and what this worker knows by itself. It runs one repair at a time:
 * first whatever Redis is suspected to have lost or to hold too much of, then the changes.
 */
export class Reconciler {
  /** Redis may lack entries of this worker. */
  #isSuspect = false;
  /** Redis may hold entries that this worker does not know. */
  #hasGhosts = false;
  #beats = 0;
  #run: Promise<void> | null = null;

  /**
   * @param mayRun whether Redis can be reached and has its data
   * @param ended called after each run, with what it failed with
   */
  constructor(
    private readonly steps: ReconcilerSteps,
    private readonly mayRun: () => boolean,
    private readonly ended: (error?: unknown) => void = () => {},
  ) {}

  /** Has everything written again in the next run. */
  suspectLoss(): void {
    this.#isSuspect = true;
  }

  /** Has unknown entries removed in the next run. */
  suspectGhosts(): void {
    this.#hasGhosts = true;
  }

  /** The lease of this worker was renewed. */
  beat(): void {
    this.#beats = (this.#beats + 1) % BEATS_PER_REWRITE;
    this.#isSuspect ||= this.#beats === 0;
    this.start();
  }

  /** Starts a run, unless one is under way. */
  start(): void {
    if (!this.mayRun()) return;
    const ended = (error?: unknown): void => {
      this.#run = null;
      this.ended(error);
    };
    this.#run ??= this.#reconcile().then(() => ended(), ended);
  }

  /** Resolves when no run is under way. */
  async idle(): Promise<void> {
    await this.#run;
  }

  async #reconcile(): Promise<void> {
    if (this.#isSuspect) {
      this.#isSuspect = false;
      await this.steps.rewrite().catch((error: unknown) => {
        this.#isSuspect = true;
        throw error;
      });
    }
    if (this.#hasGhosts) {
      this.#hasGhosts = false;
      await this.steps.removeGhosts().catch((error: unknown) => {
        this.#hasGhosts = true;
        throw error;
      });
    }
    await this.steps.writeChanges();
  }
}
