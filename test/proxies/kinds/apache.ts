import { documented, placed, replaced } from '../documented.js';
import type { ProxyKind } from '../proxy-kind.interface.js';

/** What Debian's own configuration loads, and the modules that the documentation names. */
const MODULES = {
  one: ['mpm_event', 'authz_core', 'proxy', 'proxy_http'],
  two: ['proxy_balancer', 'proxy_hcheck', 'lbmethod_bybusyness', 'slotmem_shm', 'watchdog'],
  tls: ['ssl', 'http2'],
  replacing: ['headers'],
};
/** Those that Debian has compiled in. */
const BUILT_IN = ['watchdog'];

export const apache: ProxyKind = {
  name: 'Apache',
  debianPackage: 'apache2',
  program: 'apache2',
  version: { args: ['-v'], pattern: /Apache\/(\S+)/ },
  tls: true,
  webSocketsOverHttp2: true,
  keepsSockets: true,
  saysGoodbye: false,
  passesForgedAddresses: true,
  launch(home, variant, generation) {
    let lines = documented('Apache', 'apache');
    if (variant === 'two') lines = replaced(lines, /^ *ProxyPass .*$/m, documented('Several workers', 'apache'));
    if (variant === 'tls') lines += documented('TLS and HTTP/2', 'apache');
    if (variant === 'replacing') {
      lines = replaced(
        lines,
        /^ *ProxyPreserveHost On$/m,
        `ProxyPreserveHost On\n${documented("The client's address", 'apache')}`,
      );
    }
    const modules = (variant === 'one' ? MODULES.one : [...MODULES.one, ...MODULES[variant]])
      .filter((name) => !BUILT_IN.includes(name))
      .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
    const surroundings = [
      `# ${generation}`,
      ...modules,
      `ServerName localhost`,
      `ServerRoot ${home.folder}`,
      `DefaultRuntimeDir ${home.folder}`,
      `PidFile ${home.folder}/apache.pid`,
      `ErrorLog ${home.folder}/error.log`,
      `Mutex file:${home.folder} default`,
      ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
      `Listen ${home.http}`,
      ...(variant === 'tls' ? [`Listen ${home.https}`] : []),
    ];
    return {
      files: { 'apache.conf': `${surroundings.join('\n')}\n${placed(lines, home)}` },
      args: ['-d', home.folder, '-f', `${home.folder}/apache.conf`, '-D', 'FOREGROUND'],
    };
  },
  reload: 'SIGUSR1',
};
