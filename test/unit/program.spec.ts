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
});
