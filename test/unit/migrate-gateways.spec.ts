import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { MigratedProject } from '../support/migrated-project.js';

const HEAD = `import { Injectable } from '@nestjs/common';
import { Server, Socket } from 'socket.io';
`;

/** What a class' members become; imports aside. */
async function members(body: string): Promise<string> {
  const { text } = await MigratedProject.migrate(
    `${HEAD}\n@Injectable()\nexport class Chat {\n  server: Server;\n\n  async run(client: Socket, room: string, rooms: string[]) {\n    ${body}\n  }\n}\n`,
  );
  const [, made = text] = /rooms: string\[\]\) {\n {4}(.*)\n {2}}\n}\n$/s.exec(text) ?? [];
  return made;
}

describe('A verb of the server', () => {
  it.each([
    ["this.server.emit('hi', 1)", "this.server.broadcast({ event: 'hi', data: 1 })"],
    ["this.server.emit('hi')", "this.server.broadcast({ event: 'hi' })"],
    ["this.server.emit('hi', 1, 2)", "this.server.broadcast({ event: 'hi', data: [1, 2] })"],
    ["this.server?.sockets.emit('hi', room)", "this.server?.broadcast({ event: 'hi', data: room })"],
    ["this.server.send('hi')", "this.server.broadcast({ event: 'message', data: 'hi' })"],
    ["this.server.to(room).emit('hi')", "this.server.sendToRooms([room], { event: 'hi' })"],
    ["this.server.in(rooms).emit('hi')", "this.server.sendToRooms([...rooms], { event: 'hi' })"],
    ["this.server.to('a').to(['b', 'c']).emit('hi')", "this.server.sendToRooms(['a', 'b', 'c'], { event: 'hi' })"],
    ["this.server.to(client.id).emit('hi')", "this.server.sendToClients([client.clientId], { event: 'hi' })"],
    [
      "this.server.to(room).except('muted').except(client.id).volatile.emit('hi')",
      "this.server.sendToRooms([room], { event: 'hi' }, { exclude: { clients: [client.clientId], rooms: ['muted'] }, volatile: true })",
    ],
    ['const all = await this.server.fetchSockets()', 'const all = (await this.server.fetchClients()).clients'],
    [
      'for (const one of await this.server.in(room).fetchSockets()) one.emit(one.id, one.data)',
      'for (const one of (await this.server.fetchClients({ room })).clients) this.server.sendToClients([one.clientId], { event: one.clientId, data: one.metadata })',
    ],
    ['this.server.in(room).disconnectSockets(true)', 'this.server.disconnectRoom({ room: room })'],
    [
      'this.server.in(client.id).socketsLeave(rooms)',
      'this.server.leaveRooms({ clientIds: [client.clientId], rooms: rooms })',
    ],
  ])('%s', async (before, after) => {
    expect(await members(`${before};`)).toBe(`${after};`);
  });
});

describe('A verb of a socket', () => {
  it.each([
    ["client.emit('hi', { a: 1 })", "client.emit('hi', { a: 1 })"],
    ["client.emit('hi', 1, 2)", "client.emit('hi', [1, 2])"],
    ["client.volatile.emit('hi')", "client.emit('hi')"],
    [
      "client.emit('ask', 1, (answer) => console.log(answer))",
      "client.call({ event: 'ask', data: 1 }).then((answer) => console.log(answer))",
    ],
    ["const x = await client.emitWithAck('ask', 1)", "const x = await client.call({ event: 'ask', data: 1 })"],
    ["await client.timeout(50).emitWithAck('ask')", "await client.call({ event: 'ask' }, { timeout: 50 })"],
    [
      "client.to(room).emit('hi', 1)",
      "this.server.sendToRooms([room], { event: 'hi', data: 1 }, { exclude: [client.clientId] })",
    ],
    ["client.broadcast.emit('hi')", "this.server.broadcast({ event: 'hi' }, { exclude: [client.clientId] })"],
    ['client.join(room)', 'await client.join(room)'],
    ['await client.join(rooms)', 'await Promise.all(rooms.map((room) => client.join(room)))'],
    ['client.leave(room)', 'client.leave(room)'],
    ['client.disconnect(true)', 'client.close()'],
    ["client.on('disconnect', () => this.bye())", "client.ws.once('close', () => this.bye())"],
    [
      'return client.connected && !client.disconnected',
      'return (client.readyState === 1) && !(client.readyState !== 1)',
    ],
    ['return [client.handshake.address, client.handshake.headers.cookie]', 'return [client.ip, client.headers.cookie]'],
    ['return client.handshake.query.tenant', 'return client.request.query.tenant'],
    ["return client.handshake.auth['tenant']", 'return client.request.query.tenant'],
    ['return client?.data?.user', 'return client?.metadata?.user'],
    ['client.data = { a: 1 }', 'Object.assign(client.metadata, { a: 1 })'],
    ['(client as any).user = room', '(client as any).metadata.user = room'],
    ['const { id, data: mine, user } = client', 'const { clientId: id, metadata: mine, metadata: { user } } = client'],
    [
      "(client as any as Socket).to(room).emit('hi')",
      "this.server.sendToRooms([room], { event: 'hi' }, { exclude: [(client as any as WsClient).clientId] })",
    ],
    ['(room ? client : client).join(room)', 'await (room ? client : client).join(room)'],
    ["client['user'] = room", "client.metadata['user'] = room"],
  ])('%s', async (before, after) => {
    expect(await members(`${before};`)).toBe(`${after};`);
  });

  it.each([
    ['return client.handshake.auth.token ?? null', 'return readWsToken(client.request) ?? null'],
    ['return this.jwt.verify(client.handshake.auth.token)', 'return this.jwt.verify(readWsToken(client.request)!)'],
    ['const token = client.handshake.auth.token', 'const token = readWsToken(client.request)!'],
  ])('%s: a token that is taken as a text stays one for the compiler', async (before, after) => {
    expect((await members(`${before};`)).split('\n').at(-1)?.trim()).toBe(`${after};`);
  });

  it('is left with a comment where there is no counterpart, and as it was', async () => {
    expect(await members("client.on('hi', (data) => {\n      console.log(data);\n    });")).toBe(
      [
        "// TODO(pxl): this belongs into a method with @SubscribeMessage('hi') of a gateway, see docs/coming-from-socket-io.md#handlers",
        "    // client.on('hi', (data) => {",
        '    //   console.log(data);',
        '    // });',
      ].join('\n'),
    );
  });
});

describe('A gateway', () => {
  it('keeps its handlers, and waits for joins', async () => {
    const { text } =
      await MigratedProject.migrate(`import { ConnectedSocket, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import type { Server, Socket } from 'socket.io';

@WebSocketGateway(81, { namespace: 'chat', transports: ['websocket'] })
export class ChatGateway {
  @WebSocketServer() private readonly server!: Server<In, Out>;

  @SubscribeMessage('enter')
  enter(@ConnectedSocket() socket: Socket, room: string): void {
    socket.join(room);
  }
}
`);
    expect(text).toBe(`import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, WsClient } from 'nestjs-pxl-websocket';
import { Inject } from '@nestjs/common';

@WebSocketGateway(81, { path: '/chat' })
export class ChatGateway {
  @Inject(WebSocketService) private readonly server!: WebSocketService;

  @SubscribeMessage('enter')
  async enter(@ConnectedSocket() socket: WsClient, room: string): Promise<void> {
    await socket.join(room);
  }
}
`);
  });

  it('has its server injected, whatever it made for itself', async () => {
    const { text } =
      await MigratedProject.migrate(`${HEAD}import { WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
@WebSocketGateway()
export class ChatGateway {
  @WebSocketServer() server: Server = new Server<In, Out>();
}
`);
    expect(text).toContain('  @Inject(WebSocketService) server: WebSocketService;');
    expect(text).not.toContain('socket.io');
  });

  it('is told of names that are the library’s, and of a root module that was not found', async () => {
    const { text, said } =
      await MigratedProject.migrate(`${HEAD}import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway()
export class ChatGateway {
  @SubscribeMessage('disconnect')
  bye(client: Socket) {}
}
`);
    expect(text).toContain(
      '  // TODO(pxl): disconnect belongs to the library: the end of a connection is handleDisconnect(',
    );
    expect(said.out).toContain(
      "src/file.ts: import PxlWebSocketModule.forRoot({ protocol: 'event', limits: { maxPayload: 1_000_000 } }) into the root module",
    );
  });

  it('may be one of several applications: the root of another one is left to a person', async () => {
    const app = (name: string) => `import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
@Module({})
export class ${name} {}
export const app = await NestFactory.create(${name});
`;
    const gateway = `${HEAD}import { WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway()
export class ChatGateway {}
`;
    const project = await MigratedProject.with({ 'a.ts': app('One'), 'b.ts': app('Two'), 'c.gateway.ts': gateway });
    try {
      await project.run('migrate', '--write', '--force');
      expect(await project.read('a.ts')).toContain('PxlWebSocketModule.forRoot({');
      expect(await project.read('b.ts')).toContain('// TODO(pxl): import PxlWebSocketModule.forRoot here too');
    } finally {
      await project.remove();
    }
  });

  it('of platform-ws is none of its business', async () => {
    const source = `import { WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { Server } from 'ws';

@WebSocketGateway()
export class ChatGateway {
  @WebSocketServer() server: Server;
  handleConnection(client: WebSocket) {
    client.send('x');
  }
}
`;
    expect((await MigratedProject.migrate(source)).text).toBe(source);
  });
});

describe('A file', () => {
  it('keeps its line ends, its byte order mark and its spaces', async () => {
    const source = `\uFEFFimport { Socket } from "socket.io"\r\n\r\nexport   function name( client : Socket ) {\r\n\treturn client . id + "\\t"\r\n}\n\r\n`;
    const { text } = await MigratedProject.migrate(source);
    expect(text).toBe(
      `\uFEFFimport { WsClient } from "nestjs-pxl-websocket"\r\n\r\nexport   function name( client : WsClient ) {\r\n\treturn client.clientId + "\\t"\r\n}\n\r\n`,
    );
  });

  it('is changed once: a second run finds nothing to do', async () => {
    const project = await MigratedProject.with({
      'src/chat.gateway.ts': `${HEAD}import { WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
@WebSocketGateway({ cors: true })
export class ChatGateway {
  @WebSocketServer() server;
  handleConnection(client) {
    client.data.at = client.id;
    this.server.to(client.id).emit('hi');
  }
}
`,
      'src/app.module.ts': `import { Module } from '@nestjs/common';
@Module({ providers: [] })
export class AppModule {}
`,
    });
    try {
      await project.run('migrate', '--write', '--force');
      expect(await project.read('src/chat.gateway.ts')).toContain('client.metadata.at = client.clientId;');
      expect(await project.read('src/app.module.ts')).toContain("origins: '*'");
      expect((await project.run('migrate')).out).toMatch(/^There is nothing to change\./);
    } finally {
      await project.remove();
    }
  });
});

describe('package.json', () => {
  const manifest = `{
\t"name": "app",
\t"dependencies": {
\t\t"@nestjs/platform-socket.io": "^11.1.0",
\t\t"@nestjs/websockets": "^11.1.0",
\t\t"rxjs": "^7.8.0",
\t\t"socket.io": "^4.8.0"
\t},
\t"devDependencies": { "socket.io-client": "^4.8.0" }
}`;

  it('loses what no source imports any more, and keeps its format', async () => {
    const project = await MigratedProject.with({
      'package.json': manifest,
      'a.ts': "import { Socket } from 'socket.io';\nexport const id = (client: Socket) => client.id;\n",
      'b.vue': "<script>\nexport { io } from 'socket.io-client'</script>",
    });
    try {
      const { out } = await project.run('migrate', '--write', '--force');
      const text = await project.read('package.json');
      expect(text.replace(/\^0\.1\.0|\^\d+\.\d+\.\d+(?=",\n\t\t"rxjs)/, 'ours')).toBe(`{
\t"name": "app",
\t"dependencies": {
\t\t"@nestjs/platform-ws": "^11.1.0",
\t\t"@nestjs/websockets": "^11.1.0",
\t\t"nestjs-pxl-websocket": "ours",
\t\t"rxjs": "^7.8.0"
\t},
\t"devDependencies": { "socket.io-client": "^4.8.0" }
}`);
      expect(out).toContain('run npm install');
    } finally {
      await project.remove();
    }
  });
});

describe('A namespace that a server names', () => {
  const gateway = (
    options: string,
    code: string,
  ): string => `import { WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { Server } from 'socket.io';
@WebSocketGateway(${options})
export class Gateway {
  @WebSocketServer() server: Server;
  send(name: string): void {
    ${code}
  }
}
`;

  it.each([
    ["{ namespace: 'chat' }", "this.server.of('/admin').emit('x');"],
    ["{ namespace: 'chat' }", "this.server.of('/').emit('x');"],
    ['', "this.server.of('/admin').emit('x');"],
    ['', 'this.server.of(name).emit(name);'],
    ['', "this.server.of(name).to('r').emit(name);"],
  ])('is left where no gateway has it, so that nothing goes to everybody (%s: %s)', async (options, code) => {
    const { text } = await MigratedProject.migrate(gateway(options, code));
    expect(text).toContain(`TODO(pxl): no gateway here has this namespace`);
    expect(text).toContain(`// ${code}`);
    expect(text).not.toMatch(/broadcast|sendToRooms/);
  });

  it('is the main one by /', async () => {
    const { text } = await MigratedProject.migrate(gateway('', "this.server.of('/').emit('x');"));
    expect(text).toContain("this.server.broadcast({ event: 'x' });");
    const two = `${gateway('', "this.server.of('/').emit('x');")}@WebSocketGateway({ namespace: '/a' })\nclass Other {}\n`;
    expect((await MigratedProject.migrate(two)).text).toContain("this.server.sendToRooms(['/ws'], { event: 'x' });");
  });
});

it('Bytes in data are told of', async () => {
  const { text } = await MigratedProject.migrate(
    "import { Socket } from 'socket.io';\nexport function send(client: Socket): void {\n  client.emit('x', { a: Buffer.from('x') });\n}\n",
  );
  expect(text).toContain('TODO(pxl): data travels as JSON here, in which bytes are lost');
});

describe('An acknowledgement that is given by a name', () => {
  it.each([
    ["return new Promise((res) => client.emit('q', 1, res));", "client.call({ event: 'q', data: 1 }).then(res)"],
    ["client.emit('q', this.onAnswer);", "client.call({ event: 'q' }).then(this.onAnswer)"],
  ])('is none of its data: %s', async (code, made) => {
    const { text } = await MigratedProject.migrate(`import { WebSocketGateway } from '@nestjs/websockets';
import { Socket } from 'socket.io';
@WebSocketGateway()
export class Gateway {
  onAnswer(answer: number): void {}
  go(client: Socket): unknown {
    ${code}
  }
}
`);
    expect(text).toContain(made);
  });
});

describe('Where the root module is not found', () => {
  it.each([
    ['not among the files', 'export const a = 1;\n'],
    [
      'no object',
      "import { Module } from '@nestjs/common';\nimport { Gateway } from './gateway';\n@Module(options)\nexport class AppModule { a = Gateway; }\n",
    ],
  ])('all options are told, with what lets nobody in (%s)', async (_what, module) => {
    const project = await MigratedProject.with({
      'src/gateway.ts': `import { WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { Server } from 'socket.io';
@WebSocketGateway({ cors: { origin: 'https://example.com' } })
export class Gateway {
  @WebSocketServer() server: Server;
  afterInit(server: Server): void {
    server.use((socket, next) => next());
  }
}
`,
      'src/app.module.ts': module,
    });
    const { out } = await project.run('migrate');
    await project.remove();
    expect(out).toContain("protocol: 'event', auth: { authenticate: () => false }, origins: ['https://example.com']");
  });

  it('says that rooms of several namespaces are one', async () => {
    const project = await MigratedProject.with({
      'src/a.ts': `import { WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { Server } from 'socket.io';
@WebSocketGateway({ namespace: 'a' })
export class A {
  @WebSocketServer() server: Server;
  go(): void {
    this.server.to('lobby').emit('x');
  }
}
@WebSocketGateway({ namespace: 'b' })
export class B {}
`,
    });
    const { out } = await project.run('migrate');
    await project.remove();
    expect(out).toContain('src/a.ts: a room of one name is one room for all namespaces here');
  });
});

describe('What is left to a person', () => {
  it('names headings that the documentation has', async () => {
    const page = readFileSync('docs/coming-from-socket-io.md', 'utf8');
    const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replace(/\s+/g, '-'),
    );
    const named = new Set<string>();
    const folder = 'lib/cli/migrate/gateways';
    for (const name of await readdir(folder)) {
      const text = readFileSync(`${folder}/${name}`, 'utf8');
      for (const [, anchor = ''] of text.matchAll(
        /(?:io\.md#|^const [A-Z]+ = '|PAGE\}#)([a-z]+(?:-[a-z]+)+|middleware|handlers|tokens|adapters)/gm,
      ))
        named.add(anchor);
    }
    expect(named.size).toBeGreaterThan(4);
    expect([...named].filter((anchor) => !anchors.includes(anchor))).toEqual([]);
  });
});
