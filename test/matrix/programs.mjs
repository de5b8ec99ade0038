import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** The repository. */
export const ROOT = join(import.meta.dirname, '../..');
/** Milliseconds for one program. */
const PATIENCE = 600_000;

/** Why something cannot be had here: no failure of ours. */
export class Missing extends Error {}

/**
 * Runs a program until its end, in the repository or another folder.
 * @returns its exit code, or the signal that ended it, and what it has written
 */
export async function run(program, args, env = {}, cwd = ROOT) {
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, timeout: PATIENCE });
  const [output, errors] = [child.stdout, child.stderr].map(async (stream) => {
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) text += chunk;
    return text;
  });
  const [code, signal] = await once(child, 'close');
  return { code: code ?? signal, output: await output, errors: await errors };
}

/** Runs one spec, or more, by `npm test`. */
export async function runSpec(spec, env = {}) {
  const { code, errors } = await run('npm', ['test', '--', ...[spec].flat()], { PXL_MATRIX: '1', ...env });
  if (code === 0) return [spec].flat().join(' ');
  const reason = errors.split('\n').find((line) => /is missing: run|could not be installed/.test(line));
  throw reason === undefined ? new Error(errors) : new Missing(reason.trim());
}

export function firstLine(text) {
  return text.trim().split('\n')[0];
}
