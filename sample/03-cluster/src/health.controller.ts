import { Controller, Get, Res } from '@nestjs/common';
import { WebSocketService, type WebSocketHealth } from 'nestjs-pxl-websocket';

/** For a load balancer: 200 while this worker should get connections, else 503. */
@Controller('health')
export class HealthController {
  constructor(private readonly sockets: WebSocketService) {}

  @Get()
  health(@Res({ passthrough: true }) response: { status(code: number): unknown }): WebSocketHealth {
    const health = this.sockets.getWebSocketHealth();
    response.status(health.ready ? 200 : 503);
    return health;
  }
}
