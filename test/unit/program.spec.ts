import { afterEach, describe, expect, it } from '@jest/globals';
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
});
