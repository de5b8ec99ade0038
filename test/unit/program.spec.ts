import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { writeChanges } from '../../lib/cli/migrate/migrate.command.js';
import { readProject } from '../../lib/cli/migrate/project-files.js';
import { loadTsMorph } from '../../lib/cli/migrate/ts-morph.js';
import { MigratedProject } from '../support/migrated-project.js';

const projects: MigratedProject[] = [];

async function project(files: Record<string, string> = { 'a.ts': 'export const a = 1;\n' }): Promise<MigratedProject> {
  const made = await MigratedProject.with(files);
  projects.push(made);
  return made;
}

afterEach(() => Promise.all(projects.splice(0).map((made) => made.remove())));

describe('The program', () => {
  it('tells what it can do, and of each command how it is called', async () => {
    const { run } = await project().then((made) => ({ run: made.run.bind(made) }));
    expect(await run()).toMatchObject({ code: 2, out: expect.stringContaining('migrate') });
    expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('Usage: nestjs-pxl-websocket') });
    expect(await run('--version')).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    expect(await run('migrate', '--help')).toMatchObject({ code: 0, out: expect.stringContaining('--write') });
  });

  it('names what it does not know, with the nearest', async () => {
    const made = await project();
    const unknown = await made.run('migate');
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('did you mean migrate?') });
    expect(await made.run('constructor')).toMatchObject({ code: 2 });
    const option = await made.run('migrate', '--wirte');
    expect(option).toMatchObject({ code: 2, err: expect.stringContaining('--wirte') });
    expect(await made.run('migrate', 'nowhere')).toMatchObject({ code: 2, err: expect.stringContaining('no nowhere') });
  });

  it('says that there is nothing to change', async () => {
    expect(await (await project()).run('migrate')).toEqual({ code: 0, out: 'There is nothing to change.', err: '' });
  });

  it('names a file that does not parse, with the line', async () => {
    const made = await project({ 'b/broken.ts': 'const a = 1;\nclass {{', 'a.ts': 'const a = 1;' });
    const { code, err } = await made.run('migrate');
    expect(code).toBe(1);
    expect(err).toMatch(/Left untouched:\n {2}b\/broken\.ts does not parse: line 2, /);
  });

  it('shows a diff and changes nothing, unless it is told to', async () => {
    const source = "import { Socket } from 'socket.io';\nexport const id = (client: Socket) => client.id;\n";
    const made = await project({ 'src/a.ts': source });
    const shown = await made.run('migrate');
    expect(shown).toMatchObject({
      code: 0,
      out: expect.stringContaining('+export const id = (client: WsClient) => client.clientId;'),
    });
    expect(shown.out).toContain('Would change 1 file; add --write to do it.');
    expect(await made.read('src/a.ts')).toBe(source);
  });

  it('writes only what git could undo', async () => {
    const source = "import { Socket } from 'socket.io';\nexport const id = (client: Socket) => client.id;\n";
    const made = await project({ 'src/a.ts': source, '.gitignore': 'ignored\n', 'ignored/a.ts': source });
    expect(await made.run('migrate', '--write')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no git repository'),
    });
    await made.commit();
    await made.write('notes.txt', 'not committed');
    expect(await made.run('migrate', '--write')).toMatchObject({
      code: 1,
      err: expect.stringContaining('Commit it first'),
    });
    expect(await made.read('src/a.ts')).toBe(source);
    expect(await made.run('migrate', '--write', '--force')).toMatchObject({ code: 0 });
    await made.commit();
    expect(await made.read('src/a.ts')).toContain('WsClient');
    expect(await made.read('ignored/a.ts')).toBe(source);
    await made.write('src/a.ts', source);
    await made.commit();
    const written = await made.run('migrate', 'src', '--write');
    expect(written).toMatchObject({ code: 0, err: '' });
    expect(written.out).toContain('changed src/a.ts');
  });

  it('sees what is not committed, whatever git is told not to look at', async () => {
    const source = "import { Socket } from 'socket.io';\nexport const id = (client: Socket) => client.id;\n";
    const made = await project();
    await made.commit();
    await made.git('config', 'status.showUntrackedFiles', 'no');
    await made.write('src/new.ts', source);
    expect(await made.run('migrate', '--write')).toMatchObject({ code: 1 });
    expect(await made.read('src/new.ts')).toBe(source);
  });

  it('follows no link in a folder: what is behind it is not in this tree, or is there by its own name', async () => {
    const source = "import { Socket } from 'socket.io';\nexport const id = (client: Socket) => client.id;\n";
    const other = await project({ 'far.ts': source });
    const made = await project({ 'src/a.ts': source });
    await symlink(join(made.folder, 'src/a.ts'), join(made.folder, 'src/near.ts'));
    await symlink(join(other.folder, 'far.ts'), join(made.folder, 'src/far.ts'));
    await symlink(other.folder, join(made.folder, 'src/folder'));
    const [plain, committed] = [
      await made.run('migrate'),
      await made.commit().then(() => made.run('migrate', '--write')),
    ];
    expect(plain.out).toContain('Would change 1 file;');
    expect(committed.out).toContain('Changed 1 file.');
    expect(await other.read('far.ts')).toBe(source);
    // A link that is named means what it points to, which git has to watch over.
    expect(await made.run('migrate', 'src/folder', '--write')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no git repository'),
    });
  });

  it('names a file that cannot be written, and writes the others', async () => {
    const source = "import { Socket } from 'socket.io';\nlet a: Socket;\n";
    const made = await project({ 'a.ts': source, 'b.ts': source });
    // No right of a file holds root back; a folder in its place does.
    const files = await readProject(made.folder, ['.']);
    expect(loadTsMorph(made.folder)).toBe(true);
    const { migrateProject } = await import('../../lib/cli/migrate/migration.js');
    const migration = migrateProject(files);
    await rm(join(made.folder, 'a.ts'));
    await mkdir(join(made.folder, 'a.ts'));
    const done = await writeChanges(migration);
    expect(done.changes.map(({ file }) => file.name)).toEqual(['b.ts']);
    expect(done.failures).toEqual([expect.stringMatching(/^a\.ts cannot be written: .*EISDIR/)]);
    expect(await made.read('b.ts')).toContain('WsClient');
  });
});
