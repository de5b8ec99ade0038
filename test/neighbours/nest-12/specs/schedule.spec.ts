import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Injectable } from '@nestjs/common';
import { Cron, Interval, ScheduleModule } from '@nestjs/schedule';
import { WebSocketService } from 'nestjs-pxl-websocket';
import { startsApps } from '../support/app.js';
import { until } from '../support/until.js';

const failures: unknown[] = [];
let running = 0;

@Injectable()
class Tasks {
  constructor(private readonly sockets: WebSocketService) {}

  @Cron('* * * * * *', { name: 'tick', waitForCompletion: true })
  tick() {
    return this.send('cron');
  }

  @Interval(20)
  often() {
    return this.send('interval');
  }

  private async send(action: string) {
    running++;
    try {
      await this.sockets.broadcast({ type: 'tick', action });
    } catch (error) {
      failures.push(error);
    } finally {
      running--;
    }
  }
}

describe('@nestjs/schedule', () => {
  const start = startsApps();

  it('cron jobs and intervals send; when the application closes, clients are closed with 1001, and no send of a job fails', async () => {
    const { client, app } = await start({ imports: [ScheduleModule.forRoot()], providers: [Tasks] });
    const tester = await client();
    await tester.next('tick', 'interval');
    await tester.next('tick', 'cron');
    await app.close();
    assert.equal((await tester.closed).code, 1001);
    await until(() => running === 0);
    assert.deepEqual(failures, []);
  });
});
