import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { run } from '../../lib/cli/commands.js';

const execute = promisify(execFile);

/** What a run of the program said, and its exit code. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A project in a folder of its own, to run the program on. */
export class MigratedProject {
  private constructor(readonly folder: string) {}

  static async with(files: Readonly<Record<string, string>>): Promise<MigratedProject> {
    const project = new MigratedProject(await mkdtemp(join(tmpdir(), 'migrated-')));
    for (const [name, text] of Object.entries(files)) await project.write(name, text);
    return project;
  }

  /** The new text of one file, once it is migrated. */
  static async migrate(text: string, name = 'src/file.ts'): Promise<{ text: string; said: Said }> {
    const project = await MigratedProject.with({ [name]: text });
    try {
      const said = await project.run('migrate', '--write', '--force');
      return { text: await project.read(name), said };
    } finally {
      await project.remove();
    }
  }

  async run(...args: string[]): Promise<Said> {
    const lines = { out: [] as string[], err: [] as string[] };
    const terminal = {
      cwd: this.folder,
      out: (line: string) => void lines.out.push(line),
      err: (line: string) => void lines.err.push(line),
    };
    const code = await run(args, terminal);
    return { code, out: lines.out.join('\n'), err: lines.err.join('\n') };
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, name)), { recursive: true });
    await writeFile(join(this.folder, name), text);
  }

  read(name: string): Promise<string> {
    return readFile(join(this.folder, name), 'utf8');
  }

  async git(...args: string[]): Promise<void> {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'commit.gpgsign=false'];
    await execute('git', [...identity, ...args], { cwd: this.folder });
  }

  async commit(): Promise<void> {
    await this.git('init', '--quiet');
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--message', 'first');
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
