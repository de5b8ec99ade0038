// `wscat`, a client for the command line: types each text when a message has come. What a client has to do is in ../run.mjs.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';

const [url, protocols, ...texts] = process.argv.slice(2);
const program = join(process.env.PXL_NPM, 'node_modules/wscat/bin/wscat');
const subprotocols = protocols.split(',').flatMap((protocol) => ['--subprotocol', protocol]);
// It tells why it was disconnected in a terminal only, which `script` makes.
const command = [process.execPath, program, '--no-color', '--connect', url, ...subprotocols];
const terminal = ['--quiet', '--return', '--echo', 'never', '--command', command.join(' '), '/dev/null'];
const wscat = spawn('script', terminal, { env: { ...process.env, TERM: 'dumb', COLUMNS: '1000' } });
createInterface(wscat.stdout).on('line', (line) => {
  const said = stripVTControlCharacters(line).replace(/^[\r> ]*/, '');
  const closed = /^Disconnected \(code: (\d+), reason: "(.*)"\)/.exec(said);
  if (said.startsWith('< ')) {
    const text = said.slice(2);
    console.log('message', Buffer.byteLength(text), text.slice(0, 200));
    if (texts.length > 0) wscat.stdin.write(`${texts.shift()}\r`);
  } else if (closed) {
    console.log('close', closed[1], closed[2]);
  } else if (said.startsWith('error: ')) {
    console.log('refused', said.slice(7));
  }
});
wscat.on('exit', () => process.exit());
