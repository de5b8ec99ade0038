import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { WebSocketGateway } from '@nestjs/websockets';
import { AcceptLanguageResolver, I18nModule, I18nService, QueryResolver } from 'nestjs-i18n';
import { WsRoute, WsRequest } from 'nestjs-pxl-websocket';
import { startsApps } from '../support/app.js';

@WebSocketGateway()
class Gateway {
  constructor(private readonly i18n: I18nService) {}

  @WsRoute('greet', 'me')
  greet(@WsRequest() request: { headers: Record<string, string | undefined> }) {
    const [lang] = request.headers['accept-language']?.split(/[,;-]/) ?? [];
    return this.i18n.t('test.hello', { lang });
  }
}

describe('nestjs-i18n', () => {
  const start = startsApps();
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'i18n-'));
    for (const [language, hello] of [
      ['en', 'Hello'],
      ['de', 'Hallo'],
    ] as const) {
      await mkdir(join(folder, language));
      await writeFile(join(folder, language, 'test.json'), JSON.stringify({ hello }));
    }
  });
  after(() => rm(folder, { recursive: true }));

  it('`I18nService` translates for the language that a handler names; a message has none by itself', async () => {
    const lines: string[] = [];
    const log = (line: unknown) => void lines.push(String(line));
    const { client } = await start({
      imports: [
        I18nModule.forRoot({
          fallbackLanguage: 'en',
          loaderOptions: { path: folder, watch: false },
          resolvers: [new QueryResolver(['lang']), AcceptLanguageResolver],
        }),
      ],
      providers: [Gateway],
      configure: (app) => app.useLogger({ log, warn: log, error: log, debug: log, verbose: log }),
    });
    const tester = await client({ headers: { 'accept-language': 'de' } });
    assert.equal(await tester.request('greet', 'me'), 'Hallo');
    assert.equal(await (await client()).request('greet', 'me'), 'Hello');
    assert.deepEqual(
      lines.filter((line) => /i18n|lang/i.test(line)),
      [],
    );
  });
});
