import { documented, placed, replaced } from '../documented.js';
import type { ProxyKind } from '../proxy-kind.interface.js';

export const nginx: ProxyKind = {
  name: 'nginx',
  debianPackage: 'nginx',
  program: 'nginx',
  version: { args: ['-v'], pattern: /nginx\/(\S+)/ },
  tls: true,
  webSocketsOverHttp2: false,
  keepsSockets: true,
  saysGoodbye: false,
  passesForgedAddresses: true,
  launch(home, variant, generation) {
    let lines = documented('nginx', 'nginx');
    if (variant === 'two')
      lines = replaced(lines, /upstream nest \{.*?\n {2}\}/s, documented('Several workers', 'nginx'));
    if (variant === 'tls')
      lines = replaced(lines, /listen 80;/, `listen 80;\n${documented('TLS and HTTP/2', 'nginx')}`);
    if (variant === 'replacing') {
      const own = documented("The client's address", 'nginx').trim();
      lines = replaced(lines, /proxy_set_header X-Forwarded-For .*;/, own);
    }
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${home.folder}/${kind};`,
    );
    const surroundings = ['http {', 'access_log off;', ...temporary].join('\n  ');
    const file = `${home.folder}/nginx.conf`;
    return {
      files: { 'nginx.conf': `# ${generation}\n${replaced(placed(lines, home), /http \{/, surroundings)}` },
      args: [
        ...['-p', home.folder, '-c', file, '-e', `${home.folder}/error.log`],
        ...['-g', `daemon off; pid ${home.folder}/nginx.pid; error_log ${home.folder}/error.log;`],
      ],
    };
  },
  reload: 'SIGHUP',
};
