import { documented, placed, replaced } from '../documented.js';
import type { ProxyKind } from '../proxy-kind.interface.js';

export const haproxy: ProxyKind = {
  name: 'HAProxy',
  debianPackage: 'haproxy',
  program: 'haproxy',
  version: { args: ['-v'], pattern: /version (\d[\w.]*)/ },
  tls: true,
  webSocketsOverHttp2: true,
  keepsSockets: true,
  saysGoodbye: false,
  passesForgedAddresses: false,
  launch(home, variant, generation) {
    let lines = documented('HAProxy', 'haproxy');
    if (variant === 'two') lines = replaced(lines, /^backend nest\n.*/ms, documented('Several workers', 'haproxy'));
    if (variant === 'tls')
      lines = replaced(lines, /bind :80/, `bind :80\n  ${documented('TLS and HTTP/2', 'haproxy')}`);
    return {
      files: { 'haproxy.cfg': `# ${generation}\n${placed(lines, home)}` },
      args: ['-W', '-f', `${home.folder}/haproxy.cfg`],
    };
  },
  reload: 'SIGUSR2',
};
