import { Module } from '@nestjs/common';
import { InitializeOnPreviewAllowlist } from '@nestjs/core';
import { PxlWsAdapter } from './pxl-ws.adapter.js';

/**
 * Holds the adapter alone, apart from everything that needs options: Nest asks for an adapter in preview mode too, where
 * no other provider exists.
 */
@Module({ providers: [PxlWsAdapter], exports: [PxlWsAdapter] })
export class PxlWsAdapterModule {}

InitializeOnPreviewAllowlist.add(PxlWsAdapterModule);
