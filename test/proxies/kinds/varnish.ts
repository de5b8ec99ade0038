import { documented, placed, replaced } from '../documented.js';
import type { ProxyKind } from '../proxy-kind.interface.js';

export const varnish: ProxyKind = {
  name: 'Varnish',
  debianPackage: 'varnish',
  program: 'varnishd',
  version: { args: ['-V'], pattern: /varnish-(\S+)/ },
  tls: false,
  webSocketsOverHttp2: false,
  keepsSockets: true,
  saysGoodbye: false,
  passesForgedAddresses: true,
  launch(home, variant, generation) {
    let lines = documented(variant === 'two' ? 'Several workers' : 'Varnish', 'vcl');
    if (variant === 'replacing') {
      lines = replaced(lines, /sub vcl_recv \{/, `sub vcl_recv {\n${documented("The client's address", 'vcl')}`);
    }
    const [, parameters = ''] = /varnishd -a :80 -f \S+(.*)/.exec(documented('Varnish', 'sh')) ?? [];
    return {
      files: { 'default.vcl': placed(lines, home).replace('vcl 4.1;', `vcl 4.1; # ${generation}`) },
      args: [
        ...['-F', '-a', `127.0.0.1:${home.http}`, '-f', `${home.folder}/default.vcl`],
        ...['-n', `${home.folder}/varnish`, '-s', 'malloc,32m', ...parameters.trim().split(' ')],
      ],
    };
  },
  reload: ({ folder }, generation) => {
    const admin = ['varnishadm', '-n', `${folder}/varnish`] as const;
    const name = `generation${generation}`;
    return [
      [...admin, 'vcl.load', name, `${folder}/default.vcl`],
      [...admin, 'vcl.use', name],
    ];
  },
};
