import { Node, type ClassDeclaration } from '../ts-morph.js';
import { DEFAULT_PATH, gatewayOptions, propertyOf, textOf, type GatewayProject } from './gateway-project.js';

const PAGE = 'docs/coming-from-socket-io.md';

/** The options of PxlWebSocketModule that stand for what gateways and adapters had, each as a text. */
export function moduleOptions(project: GatewayProject): string[] {
  const redis = redisOf(project);
  return [
    "protocol: 'event'",
    ...(project.guardedPaths.size > 0 && isEverywhere(project) ? NOBODY : []),
    ...originsOf(
      project,
      project.gateways.filter((one) => project.paths.size < 2 || project.pathOf(one) === DEFAULT_PATH),
    ),
    ...(redis === undefined ? [] : [redis]),
    ...roomsOf(project),
    ...numbersOf(project),
    ...endpointsOf(project),
  ];
}

/** Where a middleware has decided, nobody is let in until somebody has written what decides here. */
const NOBODY = [
  `// TODO(pxl): let in whom the middleware of Socket.IO has let in, see ${PAGE}#middleware`,
  'auth: { authenticate: () => false }',
];

function isEverywhere({ paths, guardedPaths }: GatewayProject): boolean {
  return guardedPaths.size === paths.size || guardedPaths.has(DEFAULT_PATH);
}

/** Whose pages may connect: what the options of some gateways say, and those of the adapters, which are for all of them. */
function originsOf(project: GatewayProject, gateways: readonly ClassDeclaration[]): string[] {
  const found = new Set<string>();
  let isUnknown = false;
  for (const cors of valuesOf(project, 'cors', gateways)) {
    const origin = Node.isObjectLiteralExpression(cors) ? propertyOf(cors, 'origin') : cors;
    const isAll = origin === undefined || Node.isTrueLiteral(origin) || textOf(origin) === '*';
    const texts = Node.isArrayLiteralExpression(origin)
      ? origin.getElements().map((one) => textOf(one))
      : [textOf(origin)];
    if (isAll && (Node.isObjectLiteralExpression(cors) || Node.isTrueLiteral(cors))) found.add('*');
    else if (Node.isFalseLiteral(origin)) continue;
    else if (texts.every((one) => one !== undefined))
      for (const text of texts) found.add(text === '*' ? text : text.replace(/\/+$/, ''));
    else isUnknown = true;
  }
  const todo = `// TODO(pxl): origins: the pages that may connect, as cors had them, see ${PAGE}#every-verb-of-the-server`;
  if (isUnknown) return [todo];
  if (found.size === 0) return [];
  if (found.has('*')) return ["origins: '*'"];
  return [`origins: [${[...found].map((one) => `'${one}'`).join(', ')}]`];
}

function roomsOf(project: GatewayProject): string[] {
  const parts = [
    ...(project.paths.size > 1 && project.paths.has(DEFAULT_PATH) ? [`defaults: ['${DEFAULT_PATH}']`] : []),
    ...(project.sendsToUnknownRooms ? ['own: true'] : []),
  ];
  return parts.length > 0 ? [`rooms: { ${parts.join(', ')} }`] : [];
}

/** With several namespaces each one's clients are in a room of its name, by which `server.emit` reaches them alone. */
function endpointsOf(project: GatewayProject): string[] {
  const { paths, guardedPaths } = project;
  if (paths.size < 2) return [];
  const lines = [...paths]
    .filter((path) => path !== DEFAULT_PATH)
    .sort()
    .map((path) => {
      const own = originsOf(
        project,
        project.gateways.filter((one) => project.pathOf(one) === path),
      );
      const guard = guardedPaths.has(path) && !isEverywhere(project) ? NOBODY : [];
      const options = [`rooms: { defaults: ['${path}'] }`, ...own, ...guard];
      if (options.length === 1) return `  '${path}': { ${options[0] ?? ''} },\n`;
      const texts = options.map((option) => `    ${option}${option.startsWith('//') ? '' : ','}\n`);
      return `  '${path}': {\n${texts.join('')}  },\n`;
    });
  return [`endpoints: {\n${lines.join('')}}`];
}

function numbersOf(project: GatewayProject): string[] {
  const [interval, timeout, payload] = ['pingInterval', 'pingTimeout', 'maxHttpBufferSize'].map((name) => {
    const [value] = valuesOf(project, name);
    return value && /^[\d_.e*+ ]+$/.test(value.getText()) ? value.getText() : undefined;
  });
  const heartbeat = [
    ...(interval === undefined ? [] : [`interval: ${interval}`]),
    ...(timeout === undefined ? [] : [`timeout: ${timeout}`]),
  ];
  return [
    `limits: { maxPayload: ${payload ?? '1_000_000'} }`,
    ...(heartbeat.length > 0 ? [`heartbeat: { ${heartbeat.join(', ')} }`] : []),
  ];
}

/** The address of Redis, where an adapter for Redis has one that can be moved. */
function redisOf({ files }: GatewayProject): string | undefined {
  const users = files.filter((file) =>
    file.getImportDeclarations().some((one) => /redis-(?:streams-)?adapter$/.test(one.getModuleSpecifierValue())),
  );
  if (users.length === 0) return undefined;
  for (const node of users.flatMap((file) => file.getDescendants())) {
    if (!Node.isCallExpression(node) && !Node.isNewExpression(node)) continue;
    const name = node.getExpression().getText();
    if (!/^(?:createClient|Redis|IORedis)$/.test(name)) continue;
    const [given] = node.getArguments();
    const url = Node.isObjectLiteralExpression(given) ? propertyOf(given, 'url') : given;
    if (textOf(url) !== undefined || /^process\.env\.\w+$/.test(url?.getText() ?? ''))
      return `redis: ${url?.getText() ?? ''}`;
  }
  return `// TODO(pxl): redis: the address that the adapter had, see docs/coming-from-socket-io.md#adapters`;
}

/** What the options of gateways and adapters say of a name. */
function valuesOf({ gateways: all, adapters }: GatewayProject, name: string, gateways = all): Node[] {
  const ofAdapters = adapters.flatMap((adapter) =>
    adapter.getDescendants().filter((one) => Node.isPropertyAssignment(one) && one.getName() === name),
  );
  return [
    ...gateways.map((gateway) => propertyOf(gatewayOptions(gateway), name)),
    ...ofAdapters.map((one) => (Node.isPropertyAssignment(one) ? one.getInitializer() : undefined)),
  ].filter((one) => one !== undefined);
}
