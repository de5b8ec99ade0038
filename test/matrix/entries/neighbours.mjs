import { PROJECTS } from '../../neighbours/projects.mjs';
import { runProject } from '../../neighbours/run.mjs';

/** What applications have beside the library, by the Nest that it needs. */
export const entries = PROJECTS.map((project) => ({
  name: `Neighbours of ${project}`,
  run: async () => {
    const results = await runProject(project);
    const failed = results.filter(({ error }) => error !== undefined);
    if (failed.length > 0) throw new Error(failed.map(({ path, error }) => `${path.join(' > ')}\n${error}`).join('\n'));
    return `${results.length} tests`;
  },
}));
