import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';

const PATIENCE_MILLISECONDS = 120_000;
const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;

/** The two sides of every measurement, and the processor core that each has for itself. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;
export const pinning = canPin
  ? `server on core ${SERVER_CORE}, load on core ${LOAD_CORE}`
  : 'not pinned: no taskset, or one core only';

/** The command, on one core where that can be. */
export function pinned(core, command) {
  return canPin ? ['taskset', '-c', String(core), ...command] : command;
}

/** A process that answers commands, one at a time: JSON lines on its stdin and stdout. */
export class Worker {
  #child;
  #pending = null;
  #ended = null;

  constructor(core, command) {
    const [file, ...args] = pinned(core, command);
    this.#child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#settle('resolve', JSON.parse(line)));
    this.#child.on('error', (error) => this.#end(error));
    this.#child.on('exit', (code, signal) => this.#end(new Error(`${command.join(' ')} ended (${signal ?? code}).`)));
    this.#child.stdin.on('error', (error) => this.#end(error));
  }

  ask(command, rest = {}) {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended);
        return;
      }
      const late = () => this.#settle('reject', new Error(`No answer to '${command}'.`));
      this.#pending = { resolve, reject, timer: setTimeout(late, PATIENCE_MILLISECONDS) };
      this.#child.stdin.write(`${JSON.stringify({ command, ...rest })}\n`);
    });
  }

  /** Resolves when the process is gone. */
  async stop() {
    if (this.#ended) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }

  #end(error) {
    this.#ended ??= error;
    this.#settle('reject', error);
  }

  #settle(how, value) {
    const pending = this.#pending;
    this.#pending = null;
    if (!pending) return;
    clearTimeout(pending.timer);
    pending[how](value);
  }
}
