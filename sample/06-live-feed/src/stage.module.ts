import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { Machines } from './machines/machines.js';
import { StageController } from './stage.controller.js';

@Module({ controllers: [StageController], providers: [{ provide: Machines, useFactory: () => Machines.start() }] })
export class StageModule implements OnApplicationShutdown {
  constructor(private readonly machines: Machines) {}

  onApplicationShutdown(): Promise<void> {
    return this.machines.stop();
  }
}
