import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { constants, setPriority, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import ts, { type CompilerOptions } from 'typescript';
import { projectErrors, type Compiler } from './type-check.js';

const ROOT = join(import.meta.dirname, '../..');
const FIXTURES = join(ROOT, 'test/fixtures/consumer');
const execute = promisify(execFile);
/** What packing does not need, beside hidden files and folders: tests that run now write to some of them. */
const LEFT_OUT: readonly string[] = ['bench', 'coverage', 'dist', 'findings', 'node_modules', 'sample', 'test'];

/** A test runner would take itself for a part of this one. */
const ENVIRONMENT = { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined };
const BUILD_CONFIG = 'tsconfig.build.json';

/** Strict settings, stricter than the library's own. */
const COMPILER_OPTIONS = {
  target: 'ES2023',
  module: 'NodeNext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  noEmit: true,
  types: ['node'],
};

/** What `npm pack` made. */
export interface Packed {
  readonly tarball: string;
  /** The paths of the files in it. */
  readonly files: readonly string[];
  remove(): Promise<void>;
}

/** How a program ended, and what it wrote. */
export interface Ran {
  /** Null when it had to be stopped, since it did not end in time. */
  readonly code: number | null;
  readonly output: string;
}

/** Builds and packs the package, as publishing does; in a copy, since other tests use what is built here. */
export async function pack(): Promise<Packed> {
  const folder = await mkdtemp(join(tmpdir(), 'packed-'));
  const copy = join(folder, 'package');
  for (const name of await readdir(ROOT)) {
    if (!name.startsWith('.') && !LEFT_OUT.includes(name))
      await cp(join(ROOT, name), join(copy, name), { recursive: true });
  }
  await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  // `npm run typecheck` has the types checked: here this would only take time.
  const config = JSON.parse(await readFile(join(ROOT, BUILD_CONFIG), 'utf8')) as { compilerOptions: object };
  const unchecked = { ...config, compilerOptions: { ...config.compilerOptions, noCheck: true } };
  await writeFile(join(copy, BUILD_CONFIG), JSON.stringify(unchecked));
  // What a build of long ago has left there must not be packed.
  await mkdir(join(copy, 'dist'));
  await writeFile(join(copy, 'dist/stale.js'), '');
  const packing = execute('npm', ['pack', '--json', '--pack-destination', folder], { cwd: copy });
  // It takes half a minute of a core: tests with deadlines that run beside it come first.
  if (packing.child.pid !== undefined) setPriority(packing.child.pid, constants.priority.PRIORITY_LOW);
  const { stdout } = await packing;
  // The build that runs before packing writes to the same stream.
  const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('['))) as [
    { filename: string; files: { path: string }[] },
  ];
  return {
    tarball: join(folder, filename),
    files: files.map(({ path }) => path),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A project of its own, with the packed package installed and packages of this repository beside it. */
export class Consumer {
  private constructor(readonly folder: string) {}

  /** @param nest a folder of `test/nest`: the packages that it has come from there */
  static async install({ tarball }: Packed, packages: readonly string[], nest?: string): Promise<Consumer> {
    const consumer = new Consumer(await mkdtemp(join(tmpdir(), 'consumer-')));
    const installed = join(consumer.folder, 'node_modules/nestjs-pxl-websocket');
    await mkdir(installed, { recursive: true });
    await execute('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed]);
    for (const name of packages) await consumer.link(name, nest);
    await consumer.write('package.json', JSON.stringify({ type: 'module' }));
    await consumer.write('tsconfig.json', JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ['*.ts'] }));
    return consumer;
  }

  /** Puts a package of this repository beside it; of a folder of `test/nest`, where that has it. */
  async link(name: string, nest?: string): Promise<void> {
    const link = join(this.folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    const own = nest === undefined ? undefined : join(ROOT, 'test/nest', nest, 'node_modules', name);
    await symlink(own !== undefined && existsSync(own) ? own : join(ROOT, 'node_modules', name), link);
  }

  write(file: string, text: string): Promise<void> {
    return writeFile(join(this.folder, file), text);
  }

  /** Takes a file of `test/fixtures/consumer` into the project. */
  async add(...files: string[]): Promise<void> {
    for (const file of files) await cp(join(FIXTURES, file), join(this.folder, file));
  }

  /** Takes a sample's files in the place of the project's own. */
  addSample(name: string): Promise<void> {
    return cp(join(ROOT, 'sample', name), this.folder, { recursive: true });
  }

  /**
   * Takes an application of `test/fixtures` into the project; its files end in `.txt`, since not all that they import is here.
   *
   * @returns the names of its TypeScript files
   */
  async addApplication(name: string): Promise<string[]> {
    const folder = join(ROOT, 'test/fixtures', name);
    const files = await readdir(folder);
    for (const file of files) await cp(join(folder, file), join(this.folder, file.replace(/\.txt$/, '')));
    return files.filter((file) => file.endsWith('.ts.txt')).map((file) => file.replace(/\.txt$/, ''));
  }

  /** Makes JavaScript of TypeScript files, with the metadata of decorators. */
  async transpile(names: readonly string[]): Promise<void> {
    const compilerOptions: CompilerOptions = {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    };
    for (const name of names) {
      const text = await readFile(join(this.folder, name), 'utf8');
      const { outputText } = ts.transpileModule(text, { fileName: name, compilerOptions });
      await this.write(name.replace(/\.ts$/, '.js'), outputText);
    }
  }

  /** Runs `node` in the project; it is stopped when it has not ended within `patience` ms. */
  async node(args: readonly string[], patience = 60_000): Promise<Ran> {
    const options = { cwd: this.folder, timeout: patience, killSignal: 'SIGKILL', env: ENVIRONMENT } as const;
    try {
      const { stdout, stderr } = await execute(process.execPath, args, options);
      return { code: 0, output: stdout + stderr };
    } catch (failure) {
      const { code, stdout, stderr } = failure as { code: number | null; stdout: string; stderr: string };
      return { code, output: stdout + stderr };
    }
  }

  /** Whether a program runs on for `ms` after it has written a text; it is stopped then. */
  async runsOn(program: string, env: NodeJS.ProcessEnv, text: string, ms: number): Promise<boolean> {
    const child = spawn(process.execPath, [program], { cwd: this.folder, env: { ...ENVIRONMENT, ...env } });
    const ended = once(child, 'close').then(() => false);
    const written = new Promise<void>((resolve) => {
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => {
        if ((output += chunk.toString()).includes(text)) resolve();
      });
    });
    try {
      return await Promise.race([ended, written.then(() => wait(ms, true))]);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  }

  /** What a program writes to the console. */
  async say(program: string, kind: 'module' | 'commonjs' = 'module'): Promise<string> {
    const flags = ['--disable-warning=ExperimentalWarning', `--input-type=${kind}`];
    return (await this.node([...flags, '-e', program])).output.trim();
  }

  /** What the strict compiler says of the project's files and of the package's types; nothing, when all is well. */
  typeErrors(...how: [compiler?: Compiler, options?: CompilerOptions]): string {
    return projectErrors(this.folder, ...how);
  }

  /** A file of the installed package. */
  read(file: string): Promise<string> {
    return readFile(join(this.folder, 'node_modules/nestjs-pxl-websocket', file), 'utf8');
  }

  /** Takes a file away; all of the project without one. */
  remove(file = ''): Promise<void> {
    return rm(join(this.folder, file), { recursive: true, force: true });
  }
}
