import { documented, placed } from '../documented.js';
import type { ProxyKind } from '../proxy-kind.interface.js';

const HEADINGS = { one: 'Caddy', two: 'Several workers', tls: 'TLS and HTTP/2', replacing: 'Caddy' } as const;

export const caddy: ProxyKind = {
  name: 'Caddy',
  debianPackage: 'caddy',
  program: 'caddy',
  version: { args: ['version'], pattern: /v?(\d+\.\d+\.\d+)/ },
  tls: true,
  webSocketsOverHttp2: false,
  keepsSockets: false,
  saysGoodbye: true,
  passesForgedAddresses: false,
  launch(home, variant, generation) {
    const lines = placed(documented(HEADINGS[variant], 'caddyfile'), home);
    // A changed configuration is one that does something else.
    const admin = `{\n  admin localhost:${home.admin}\n  auto_https off\n}\n`;
    const file = `${home.folder}/Caddyfile`;
    return {
      files: { Caddyfile: `${admin}${lines.replace('{\n', `{\n  header X-Generation ${generation}\n`)}` },
      args: ['run', '--config', file, '--adapter', 'caddyfile'],
    };
  },
  reload: (home) => [
    [
      ...(['caddy', 'reload', '--config', `${home.folder}/Caddyfile`] as const),
      ...['--adapter', 'caddyfile', '--address', `localhost:${home.admin}`],
    ],
  ],
};
