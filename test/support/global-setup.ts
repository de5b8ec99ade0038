import { execFileSync, execSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that tests need and npm does not bring. */
interface Program {
  /** As it stands in a sentence. */
  readonly what: string;
  /** The environment variable that may name it. */
  readonly variable: string;
  /** What it may be called on PATH. */
  readonly names: readonly string[];
  /** The Debian package that brings it. */
  readonly debianPackage: string;
}

const CHROMIUM: Program = {
  what: 'Chromium, for the page tests,',
  variable: 'CHROMIUM_PATH',
  names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  debianPackage: 'chromium',
};
const REDIS: Program = {
  what: 'redis-server, for the tests of several workers,',
  variable: 'REDIS_SERVER_PATH',
  names: ['redis-server'],
  debianPackage: 'redis-server',
};

const FIREFOX: Program = {
  what: 'Firefox, for one of the tests of npm run test:matrix,',
  variable: 'FIREFOX_PATH',
  names: ['firefox-esr', 'firefox'],
  debianPackage: 'firefox-esr',
};

/**
 * Runs once before all tests, so that a missing program is said in one sentence and not by every test that needs it, and
 * what child processes run is bundled once. Jest loads this file without its module resolution: it can import no other
 * file of ours.
 */
export default function globalSetup(): void {
  ensureChromium();
  ensureRedisServer();
  const bundler = join(import.meta.dirname, 'bundle-programs.mjs');
  process.env.PXL_TEST_PROGRAMS = execFileSync(process.execPath, [bundler, '--packages'], { encoding: 'utf8' });
}

/** The browser of the page tests, installed where it is missing. */
export function ensureChromium(): string {
  return ensure(CHROMIUM);
}

/** The other browser, as {@link ensureChromium}; it is no need of `npm test`. */
export function ensureFirefox(): string {
  return ensure(FIREFOX);
}

/** The Redis of the tests that need one, installed where it is missing. Each test starts its own, on a port of its own. */
export function ensureRedisServer(): string {
  return ensure(REDIS);
}

/** Finds a program; installs it where this takes no question to anybody: as root on Debian. */
function ensure(program: Program): string {
  const found = find(program);
  if (found) return found;
  const { what, debianPackage } = program;
  const install = `apt-get install -y --no-install-recommends ${debianPackage}`;
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version') || !isExecutable('/usr/bin/apt-get')) {
    throw new Error(`${what} is missing: run "sudo apt-get update && sudo ${install}".`);
  }

  process.stderr.write(`${what} is missing and being installed; this takes a minute or two.\n`);
  try {
    execSync(`apt-get update && ${install}`, {
      stdio: 'ignore',
      // In run level 1 the package starts no service.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    });
  } catch (cause) {
    throw new Error(`${what} could not be installed: run "apt-get update && ${install}" to see why.`, { cause });
  }
  const installed = find(program);
  if (!installed) throw new Error(`${what} is not on PATH after "${install}".`);
  return installed;
}

/** The program that its variable names, else the first one on PATH, else null. */
function find({ variable, names }: Program): string | null {
  const named = process.env[variable];
  if (named) {
    if (isExecutable(named)) return named;
    throw new Error(`${variable} is "${named}", which is no program: let it name one, or unset it.`);
  }
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
