import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { machineLines } from './machine.js';

const FILE = new URL('../RESULTS.md', import.meta.url);
const TITLE = '# Results';

/** The text of a suite: what it measures, when and how it was run, and its tables. */
export function sectionOf(suite, command, rounds, tables) {
  const date = new Date().toISOString().slice(0, 10);
  const run = `Measured ${date} by \`${command}\`, ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.`;
  return [`## ${suite.name}`, suite.about, run, ...tables].join('\n\n').concat('\n');
}

/** Writes the sections into RESULTS.md; those of other suites stay as they are. */
export function writeResults(names, sections) {
  const all = new Map(readSections());
  for (const [name, section] of sections) all.set(name, section);
  const about =
    'Medians, with the smallest and the largest of all rounds in brackets; a ratio is taken round by round. ' +
    'README.md tells how it is measured.';
  const body = names.filter((name) => all.has(name)).map((name) => all.get(name));
  writeFileSync(FILE, [TITLE, about, machineLines().join('\n'), ...body.map((s) => s.trimEnd())].join('\n\n') + '\n');
}

function readSections() {
  if (!existsSync(FILE)) return [];
  const [, ...sections] = readFileSync(FILE, 'utf8').split(/^(?=## )/m);
  return sections.map((section) => [section.slice(3, section.indexOf('\n')), section]);
}
