import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { spawnSync } from 'node:child_process';
import { bunVersion } from './contenders.js';
import { pinning } from './worker.js';

const GIGABYTE = 2 ** 30;

/** What the figures were measured on, and with which versions. */
export function machineLines() {
  const processors = cpus();
  const own = manifest('../../package.json');
  const peers = [
    ...['ws', '@nestjs/core', '@nestjs/platform-ws'].map((name) => manifest(`../../node_modules/${name}/package.json`)),
    manifest('../node_modules/socket.io/package.json'),
  ];
  const versions = peers.map(({ name, version }) => `${name} ${version}`);
  return [
    `- Machine: ${processors.length} × ${processors[0].model.trim()}, ${Math.round(totalmem() / GIGABYTE)} GB, ` +
      `${type()} ${kernelVersion()}; ${pinning}`,
    `- Versions: ${own.name} ${own.version}, Node ${process.versions.node}, ${versions.join(', ')}, ` +
      (bunVersion ? `Bun ${bunVersion}` : 'no Bun (it does not run here)'),
  ];
}

/** Without the number and name of a build, which tell readers nothing. */
function kernelVersion() {
  return release().split('.', 2).join('.');
}

/** Open files that a process may have; every connection is one. */
export function openFilesLimit() {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' });
  return stdout.trim() === 'unlimited' ? Infinity : Number(stdout);
}

function manifest(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
}
