import { Load } from './load.js';
import type { LoadCommand, LoadNews } from './load-messages.js';
import { LoopWatch } from '../measures/loop-watch.js';
import { MachineClock } from './machine-clock.js';

/** The argument by which the program is such a process. */
export const LOAD_PROCESS = '--load-process';
/** The time between two states, ms. */
const PERIOD = 250;

/** Runs the clients of this process as the first one says; resolves when that has ended, or has no more use for them. */
export function runLoadProcess(): Promise<number> {
  return new Promise((resolve) => {
    const clock = new MachineClock();
    const watch = new LoopWatch();
    const tell = (news: LoadNews): void => {
      if (process.connected) process.send?.(news);
    };
    let load: Load | undefined;
    let states: NodeJS.Timeout | undefined;
    // Without the first process nobody would ever end the clients.
    const abandon = (): void => process.exit(1);
    const end = (): void => {
      clearInterval(states);
      process.off('disconnect', abandon);
      if (process.connected) process.disconnect();
      resolve(0);
    };
    const obey = async (command: LoadCommand): Promise<void> => {
      if (command.kind === 'prepare') {
        load = new Load(command.options, command.run, command.address, command.share);
        tell({ kind: 'ready', now: clock.now() });
      }
      if (!load) return;
      if (command.kind === 'connect') {
        load.clock.offset = command.offset;
        states = setInterval(() => load && tell({ kind: 'state', state: load.state() }), PERIOD);
        await load.connect(command.startAt);
      } else if (command.kind === 'send') {
        watch.start();
        await load.send(command.startAt);
        tell({ kind: 'sent', sent: load.sent() });
      } else if (command.kind === 'stop') {
        load.stop();
      } else if (command.kind === 'settle') {
        await load.settle(command.sent);
        const tally = load.tally.toJSON();
        tell({ kind: 'state', state: load.state() });
        tell({ kind: 'settled', tally, in: load.count('isIn'), wereIn: load.count('wasIn'), busyness: watch.stop() });
      } else if (command.kind === 'leave') {
        await load.leave();
        end();
      }
    };
    // Ctrl+C reaches all processes of a terminal: the first one decides what becomes of it.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
    process.on('message', (command: LoadCommand) => void obey(command).catch((error: unknown) => fail(error)));
    process.on('disconnect', abandon);
  });
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
}
