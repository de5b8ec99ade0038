import { execSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const INSTALL = 'apt-get install -y --no-install-recommends chromium';

/**
 * Runs once before all tests, so that a missing browser is said in one sentence and not by every page test. Jest loads
 * this file without its module resolution: it can import no other file of ours.
 */
export default function globalSetup(): void {
  ensureChromium();
}

/** The browser that `CHROMIUM_PATH` names, else the first one on PATH, else null. */
function findChromium(): string | null {
  const named = process.env.CHROMIUM_PATH;
  if (named) {
    if (isExecutable(named)) return named;
    throw new Error(`CHROMIUM_PATH is "${named}", which is no program: let it name a Chromium, or unset it.`);
  }
  const folders = (process.env.PATH ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable) ?? null;
}

/** Installs the browser that the page tests need where this takes no question to anybody: as root on Debian. */
export function ensureChromium(): string {
  const found = findChromium();
  if (found) return found;
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version') || !isExecutable('/usr/bin/apt-get')) {
    throw new Error(`The page tests need Chromium: run "sudo apt-get update && sudo ${INSTALL}".`);
  }

  process.stderr.write('Installing Chromium for the page tests; this takes a minute or two.\n');
  try {
    execSync(`apt-get update && ${INSTALL}`, {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  } catch (cause) {
    throw new Error(`Chromium could not be installed: run "apt-get update && ${INSTALL}" to see why.`, { cause });
  }
  return findChromium() ?? '/usr/bin/chromium';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
