/** A row for each set of packages: their versions, on which HTTP platforms, and what the tests have shown. */
export function tableOf(results) {
  const rows = new Map();
  for (const { path, packages, error, skip } of results) {
    if (skip !== undefined) continue;
    // A package runs in two versions where they are of two majors of Nest.
    const names = packages.map(({ name, version }) => `\`${name}\` ${version}`).join(', ');
    const row = rows.get(names) ?? { names, platforms: new Set(), titles: new Map() };
    rows.set(names, row);
    const on = path.slice(1, -1).filter((name) => name === 'Express' || name === 'Fastify');
    for (const platform of on) row.platforms.add(platform);
    const title = path.filter((name, at) => at > 0 && !on.includes(name)).join(' ');
    row.titles.set(title, row.titles.get(title) === false ? false : error === undefined);
  }
  const lines = [...rows.values()].map(({ names, platforms, titles }) => {
    const told = [...titles].map(([title, isWell]) => (isWell ? sentence(title) : `**FAILED** ${title}`)).join('. ');
    return `| ${names} | ${[...platforms].join(', ') || 'Express'} | ${told.replaceAll('|', '\\|')} |`;
  });
  const date = new Date().toISOString().slice(0, 10);
  const with_ = `\`test/neighbours/run\`, ${date}, Node ${process.versions.node}`;
  return [`${with_}:`, '', '| package | on | what ran |', '| --- | --- | --- |', ...lines, ''].join('\n');
}

function sentence(title) {
  return title[0].toUpperCase() + title.slice(1);
}
