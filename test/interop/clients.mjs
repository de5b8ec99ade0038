import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = (file) => join(import.meta.dirname, 'clients', file);

/** What a machine lacks, and the command that brings it. */
export class Missing extends Error {}

/*
 * The clients. `debian` are the packages that bring one; `version(folder)` tells its version, and rejects where it is not there;
 * `prepare(folder)` returns the command line of its program, and the environment; `notes` is for the table.
 */

const python = (name, file, module, debian, version) => ({
  name,
  debian,
  version: () => output('/usr/bin/python3', '-c', `import ${module}; print(${version ?? `${module}.__version__`})`),
  prepare: () => ({ command: ['/usr/bin/python3', here(file)] }),
});

const PYPI = ['websockets==17.1', 'aiohttp==3.14.3', 'websocket-client==1.9.2', 'curl_cffi==0.16.3'];
const NPM = ['wscat@6.1.0', 'websocket@1.0.35'];

const pypi = (name, file, distribution, module) => ({
  name,
  debian: ['python3-venv'],
  version: async (folder) => {
    const program = await once('pypi', () => makeVenv(join(folder, 'venv')));
    const code = `import importlib.metadata as m; print(m.version('${distribution}'))`;
    return output(program, '-c', module ? `${code}; import ${module}` : code);
  },
  prepare: (folder) => ({ command: [join(folder, 'venv/bin/python'), here(file)] }),
});

const npm = (name, file, distribution) => ({
  name,
  debian: [],
  version: async (folder) => {
    const root = await once('npm', () => installNpm(join(folder, 'npm')));
    return output(process.execPath, '-p', `require('${root}/node_modules/${distribution}/package.json').version`);
  },
  prepare: (folder) => ({ command: [process.execPath, here(file)], env: { PXL_NPM: join(folder, 'npm') } }),
});

const go = (name, file, source, packageName) => ({
  name,
  debian: ['golang-go', packageName],
  version: async () => {
    if (!existsSync(join('/usr/share/gocode/src', source))) throw new Error('not there');
    return debianVersion(packageName);
  },
  prepare: async (folder) => {
    const env = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOCACHE: join(folder, 'go') };
    await run('go', ['build', '-o', join(folder, name), here(file)], { env });
    return { command: [join(folder, name)] };
  },
});

const compiled = (name, file, packages, library, ...options) => ({
  name,
  debian: ['g++', ...packages],
  version: () => debianVersion(library),
  prepare: async (folder) => {
    const compiler = file.endsWith('.c') ? 'gcc' : 'g++';
    await run(compiler, ['-O0', '-o', join(folder, name), here(file), ...options]);
    return { command: [join(folder, name)] };
  },
});

export const clients = [
  python(
    'Python websockets',
    'python-websockets.py',
    'websockets',
    ['python3-websockets'],
    'websockets.version.version',
  ),
  pypi('Python websockets, newest', 'python-websockets.py', 'websockets'),
  python('Python aiohttp', 'python-aiohttp.py', 'aiohttp', ['python3-aiohttp']),
  pypi('Python aiohttp, newest', 'python-aiohttp.py', 'aiohttp'),
  python('Python websocket-client', 'python-websocket-client.py', 'websocket', ['python3-websocket']),
  pypi('Python websocket-client, newest', 'python-websocket-client.py', 'websocket-client'),
  python('Python tornado', 'python-tornado.py', 'tornado', ['python3-tornado'], 'tornado.version'),
  pypi('curl (Python curl_cffi)', 'python-curl-cffi.py', 'curl_cffi', 'curl_cffi'),
  {
    name: 'Java java.net.http',
    debian: ['openjdk-17-jdk-headless'],
    version: async () => (await output('java', '-XshowSettings:properties', '--version')).split(/\s+/)[1],
    prepare: async (folder) => {
      await run('javac', ['-d', folder, here('JavaNetHttp.java')]);
      return { command: ['java', '-XX:TieredStopAtLevel=1', '-cp', folder, 'JavaNetHttp'] };
    },
  },
  {
    name: 'Java OkHttp (Android)',
    debian: ['openjdk-17-jdk-headless', 'libokhttp-java'],
    version: () => debianVersion('libokhttp-java'),
    prepare: async (folder) => {
      const path = ['okhttp', 'okio'].map((jar) => `/usr/share/java/${jar}.jar`).join(':');
      await run('javac', ['-cp', path, '-d', folder, here('JavaOkHttp.java')]);
      return { command: ['java', '-XX:TieredStopAtLevel=1', '-cp', `${folder}:${path}`, 'JavaOkHttp'] };
    },
  },
  {
    name: '.NET ClientWebSocket (Mono)',
    debian: ['mono-mcs', 'mono-runtime', 'libmono-system4.0-cil'],
    version: () => debianVersion('libmono-system4.0-cil'),
    prepare: async (folder) => {
      await run('mcs', [`-out:${join(folder, 'DotNet.exe')}`, here('DotNet.cs')]);
      return { command: ['mono', join(folder, 'DotNet.exe')] };
    },
  },
  go('Go gorilla', 'go-gorilla.go', 'github.com/gorilla/websocket', 'golang-github-gorilla-websocket-dev'),
  go('Go nhooyr', 'go-nhooyr.go', 'nhooyr.io/websocket', 'golang-nhooyr-websocket-dev'),
  {
    name: 'Ruby faye',
    debian: ['ruby-faye-websocket'],
    version: () => debianVersion('ruby-faye-websocket'),
    prepare: () => ({ command: ['ruby', here('ruby-faye.rb')] }),
  },
  {
    name: 'Perl Mojolicious',
    debian: ['libmojolicious-perl'],
    version: () => output('perl', '-MMojolicious', '-e', 'print Mojolicious->VERSION'),
    prepare: () => ({ command: ['perl', here('perl-mojolicious.pl')] }),
  },
  {
    name: 'libsoup (GNOME)',
    debian: ['gir1.2-soup-3.0', 'python3-gi'],
    version: () => debianVersion('libsoup-3.0-0'),
    prepare: () => ({ command: ['/usr/bin/python3', here('libsoup.py')] }),
  },
  {
    name: 'Qt QWebSocket',
    debian: ['python3-pyqt6.qtwebsockets'],
    version: () =>
      output('/usr/bin/python3', '-c', 'from PyQt6 import QtCore, QtWebSockets; print(QtCore.QT_VERSION_STR)'),
    prepare: () => ({ command: ['/usr/bin/python3', here('qt.py')] }),
  },
  compiled('libwebsockets', 'libwebsockets.c', ['libwebsockets-dev'], 'libwebsockets-dev', '-lwebsockets'),
  compiled('C++ Boost.Beast', 'boost-beast.cpp', ['libboost-dev'], 'libboost-dev', '-lpthread'),
  npm('wscat', 'wscat.mjs', 'wscat'),
  npm('npm websocket', 'npm-websocket.cjs', 'websocket'),
  {
    name: 'Node ws',
    debian: [],
    version: () => output(process.execPath, '-p', 'require("ws/package.json").version'),
    prepare: () => ({ command: [process.execPath, here('node-ws.mjs')] }),
  },
];

const results = new Map();

/** What several clients share is made once. */
function once(key, make) {
  if (!results.has(key)) results.set(key, make());
  return results.get(key);
}

async function makeVenv(folder) {
  await run('/usr/bin/python3', ['-m', 'venv', folder]);
  await run(join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', ...PYPI]);
  return join(folder, 'bin/python');
}

async function installNpm(folder) {
  await mkdir(folder, { recursive: true });
  await run('npm', ['install', '--prefix', folder, '--silent', '--no-audit', '--no-fund', ...NPM]);
  return folder;
}

/** The version of a Debian package, without what Debian adds to it. */
async function debianVersion(packageName) {
  const version = await output('dpkg-query', '--show', '--showformat=${Version}', packageName);
  if (version === '') throw new Error('not there');
  return version.replace(/^\d+:/, '').replace(/[-+].*$/, '');
}

async function output(command, ...options) {
  const { stdout } = await run(command, options);
  return stdout.trim();
}
