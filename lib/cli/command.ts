/** Where a command runs, and where its words go. */
export interface Terminal {
  /** The folder that relative paths begin at. */
  readonly cwd: string;
  /** Writes one line of the result. */
  readonly out: (line: string) => void;
  /** Writes one line that tells why something was not done. */
  readonly err: (line: string) => void;
  /** Shows how it goes, in one line that the next one takes the place of; undefined where nobody sits before a terminal. */
  readonly status?: ((line: string) => void) | undefined;
}

/** One subcommand. */
export interface Command {
  /** What `nestjs-pxl-websocket NAME --help` prints. */
  readonly help: string;
  /**
   * Runs it.
   *
   * @param args what stands behind its name, without `--help`
   * @returns the exit code: 0, or 1 when something was not done
   * @throws UsageError for arguments that it does not know
   */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}

/** Arguments that a command does not understand: its sentence is printed, and the exit code is 2. */
export class UsageError extends Error {}
