import { describe, expect, it } from '@jest/globals';
import { StandardSchemaValidationPipe } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { WsRoute } from 'nestjs-pxl-websocket';
import { z } from 'zod';
import { startsOneApp } from '../support/test-app.js';

// Nest has schemas of parameters since version 12.
const start = startsOneApp();

describe('a Standard Schema (zod)', () => {
  const Message = z.object({ room: z.string().min(1), count: z.coerce.number().default(1) });

  class Gateway {
    @WsRoute('z', 'whole')
    whole(@MessageBody({ schema: Message }) message: z.infer<typeof Message>) {
      return message;
    }

    @WsRoute('z', 'field')
    field(@MessageBody('room', { schema: z.string().toUpperCase() }) room: string) {
      return room;
    }

    @WsRoute('z', 'own')
    own(@MessageBody({ schema: Message, pipes: [new StandardSchemaValidationPipe()] }) message: unknown) {
      return message;
    }
  }

  it.each(['whole', 'own'])(
    'gives the parsed value, or VALIDATION_FAILED with the fields in details (%s)',
    async (action) => {
      const { client } = await start({
        providers: [Gateway],
        configure: (app) => {
          if (action === 'whole') app.useGlobalPipes(new StandardSchemaValidationPipe());
        },
      });
      const tester = await client();
      expect(await tester.request('z', action, { room: 'a', extra: 1 })).toEqual({ room: 'a', count: 1 });
      const { data } = await tester.call('z', action, { room: '', count: 'x' });
      expect(data).toMatchObject({ code: 'VALIDATION_FAILED', error: 'The data is not valid.' });
      expect((data as { details: string[] }).details).toEqual([
        expect.stringMatching(/^room: /),
        expect.stringMatching(/^count: /),
      ]);
    },
  );

  it('may stand on one field', async () => {
    const { client } = await start({
      providers: [Gateway],
      configure: (app) => void app.useGlobalPipes(new StandardSchemaValidationPipe()),
    });
    const tester = await client();
    expect(await tester.request('z', 'field', { room: 'a' })).toBe('A');
    await expect(tester.request('z', 'field', {})).rejects.toThrow('VALIDATION_FAILED');
  });
});
