import { UsageError, type Command, type Terminal } from './command.js';
import { noSuchName } from '../options/checks/nearest-name.js';
import { version } from './version.js';

const PROGRAM = 'nestjs-pxl-websocket';

interface Entry {
  readonly summary: string;
  /** Loaded when called: no command pays for another one. */
  readonly load: () => Promise<Command>;
}

/** The subcommands; one more is one more line. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  migrate: {
    summary: 'rewrites gateways and clients of Socket.IO for this library',
    load: async () => (await import('./migrate/migrate.command.js')).migrate,
  },
  bench: {
    summary: 'puts a load on a server, and measures latencies and losses',
    load: async () => (await import('./bench/bench.command.js')).bench,
  },
};

/**
 * Runs the program.
 *
 * @param args without node and the program's own name
 * @returns the exit code: 0, 1 when something was not done, 2 for arguments that nobody understands
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    terminal.out(overview());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    terminal.out(version());
    return 0;
  }
  if (!Object.hasOwn(COMMANDS, name)) {
    terminal.err(noSuchName('command', name, Object.keys(COMMANDS)));
    return 2;
  }
  const command = await COMMANDS[name]?.load();
  if (!command) return 2;
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.out(command.help);
    return 0;
  }
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.err(error.message);
    terminal.err(`See ${PROGRAM} ${name} --help.`);
    return 2;
  }
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return [`Usage: ${PROGRAM} COMMAND [--help]`, '', ...lines, '  --version  prints the version'].join('\n');
}
