import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Whatever the person has configured that git does not look at. */
const STATUS = ['status', '--porcelain', '--untracked-files=normal', '--ignore-submodules=none'];

/** `none`: the folder is in no git tree, or there is no git. */
export type TreeState = 'clean' | 'dirty' | 'none';

/** Whether everything in the git trees around some folders is committed, untracked files included. */
export async function treeState(folders: readonly string[]): Promise<TreeState> {
  const states = await Promise.all(folders.map((folder) => git(folder, STATUS)));
  if (states.includes(undefined)) return 'none';
  return states.every((state) => state === '') ? 'clean' : 'dirty';
}

/** The files below a folder that git knows, or would add; undefined outside of a git tree. Relative to the folder. */
export async function filesOfTree(folder: string): Promise<string[] | undefined> {
  const listed = await git(folder, ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate']);
  return listed?.split('\0').filter((path) => path !== '');
}

async function git(folder: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await execute('git', args, { cwd: folder, maxBuffer: 256 * 1024 * 1024 })).stdout;
  } catch {
    return undefined;
  }
}
