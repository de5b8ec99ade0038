import type { IncomingMessage } from 'node:http';
import type { CloseReason } from '../../protocol/close-codes.js';
import type { SpanAttributes, TraceSpan } from '../../tracing/trace-span.js';
import type { Tracing } from '../../tracing/tracing.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import type { HttpRefusal } from './http-refusal.js';

// The attributes follow OpenTelemetry's conventions for HTTP. The query of the request is in none: it may have a token.

/** Part of the trace that the request's headers name, or a new one. */
export function beginUpgradeSpan(tracing: Tracing, { path }: Endpoint, { headers }: IncomingMessage): TraceSpan {
  const attributes = { 'http.request.method': 'GET', 'http.route': path, 'network.protocol.name': 'websocket' };
  return tracing.begin(`upgrade ${path}`, { kind: 'server', attributes, headers });
}

export function endAccepted(span: TraceSpan, of: SpanAttributes): void {
  span.set({ 'http.response.status_code': 101, ...of });
  span.end();
}

/** @param close by which code it was closed after a 101; undefined: it was refused by its status */
export function endRefused(span: TraceSpan, { status }: HttpRefusal, close?: CloseReason): void {
  span.set({ 'http.response.status_code': close ? 101 : status, 'pxl.close.code': close?.code });
  span.refused(String(status));
  span.end();
}

/** The client has gone before it was decided. */
export function endGone(span: TraceSpan): void {
  span.refused('gone');
  span.end();
}
