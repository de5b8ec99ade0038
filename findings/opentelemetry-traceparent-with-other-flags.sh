#!/usr/bin/env bash
# One would guess: what `W3CTraceContextPropagator` has read from a traceparent it writes as a traceparent that everybody can read, its
# own reader included. The W3C's text has eight bits of flags, two of them with a meaning; whoever writes sets the others to zero.
# What happens: it keeps all eight bits, and writes a 0 before their hexadecimal number: of the flags `11` (sampled, and a bit without a
# meaning yet) it makes `011`. That is one digit too many: every reader throws the whole header away, and the trace ends there.
# Seen with @opentelemetry/core 2.12.1 and @opentelemetry/api 1.9.1. It takes a process that hands contexts on without making spans of
# its own: a propagator, and no tracer provider, a non-recording span, or a message that is forwarded with the context it came with. Spans
# of the SDK have the flags 00 or 01, whatever came in.
# For users: such a gateway or queue worker works until a sender uses a later version's flag, then all of its traces fall apart, without a
# word in a log. Clear the bits first: `trace.setSpanContext(context, { ...spanContext, traceFlags: spanContext.traceFlags & 3 })`.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --loglevel=error --prefix "$dir" @opentelemetry/core@2.12.1 @opentelemetry/api@1.9.1 >/dev/null || exit 2
cd "$dir"
echo "@opentelemetry/core 2.12.1, @opentelemetry/api 1.9.1, Node.js $(node --version)"

cat >check.cjs <<'JS'
const { ROOT_CONTEXT, defaultTextMapGetter, defaultTextMapSetter, trace } = require('@opentelemetry/api');
const { W3CTraceContextPropagator } = require('@opentelemetry/core');

const propagator = new W3CTraceContextPropagator();
const read = (carrier) => propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter);

/** What the next process gets of a traceparent with these flags, and whether it can read it. */
function handOn(flags) {
  // A span of the API without an SDK, as any instrumentation makes it.
  const context = read({ traceparent: `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-${flags}` });
  const span = trace.getTracer('gateway').startSpan('forward', {}, context);
  const carrier = {};
  propagator.inject(trace.setSpan(context, span), carrier, defaultTextMapSetter);
  return { 'flags out': carrier.traceparent.split('-')[3], 'read by the next': trace.getSpanContext(read(carrier)) !== undefined };
}

const seen = Object.fromEntries(['01', '03', '0f', '11', 'ff'].map((flags) => [`flags ${flags}`, handOn(flags)]));
console.table(seen);
const outcome = Object.values(seen).map((row) => `${row['flags out']} ${row['read by the next']}`).join();
process.exit(outcome === '01 true,03 true,0f true,011 false,0ff false' ? 0 : 1);
JS
if node check.cjs; then
  echo 'As described.'
else
  echo 'It has changed.'
  exit 1
fi
