import { cpus } from 'node:os';

/** How busy all processors of this machine are together, whoever keeps them so. */
export class MachineLoad {
  readonly #begin = times();

  /** The part of the time since it was made, 0 to 1; null where the system does not tell. */
  busy(): number | null {
    const now = times();
    const all = now.all - this.#begin.all;
    return all > 0 ? 1 - (now.idle - this.#begin.idle) / all : null;
  }
}

function times(): { idle: number; all: number } {
  const each = cpus().map((cpu) => cpu.times);
  return {
    idle: each.reduce((sum, { idle }) => sum + idle, 0),
    all: each.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0),
  };
}
