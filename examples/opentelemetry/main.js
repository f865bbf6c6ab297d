// Fetches allowed and denied URLs inside spans, and prints what OpenTelemetry has of it.
// npm run opentelemetry -w examples
import http from 'node:http';
import { once } from 'node:events';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { deniedError, Rules } from 'netjail';
import { createFetch } from 'netjail/fetch';
import { observeVerdicts } from './telemetry.js';

// A service of yours would have exporters to its collector here.
const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const spans = new InMemorySpanExporter();
const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 60_000 });
const meterProvider = new MeterProvider({ readers: [reader] });
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(tracerProvider);
const stop = observeVerdicts(meterProvider.getMeter('netjail'));
const tracer = trace.getTracer('example');

const server = http.createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.2');
await once(server, 'listening');
const { port } = server.address();

const fetch = createFetch({
  rules: new Rules({ allow: ['public', '127.0.0.2'], block: ['203.0.113.0/24'] }),
  resolver: async () => ['10.0.0.7'],
});
for (const url of [
  `http://127.0.0.2:${port}/`,
  'http://169.254.169.254/latest/meta-data/',
  'http://intranet.example/',
  'http://203.0.113.9/',
]) {
  await tracer.startActiveSpan(`GET ${new URL(url).hostname}`, async (span) => {
    try {
      await (await fetch(url)).text();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: deniedError(error)?.reason ?? 'failed' });
    } finally {
      span.end();
    }
  });
}

await meterProvider.forceFlush();
console.log('netjail.verdicts');
for (const { value, attributes } of metrics.getMetrics().at(-1).scopeMetrics[0].metrics[0].dataPoints)
  console.log(
    `  ${value}  ${attributes['netjail.allowed'] ? 'allowed' : `denied: ${attributes['netjail.reason']}`}`,
  );
console.log('spans');
for (const { name, status, events } of spans.getFinishedSpans()) {
  const denials = events.map(
    ({ attributes }) => `${attributes['network.peer.address']} ${attributes['netjail.reason']}`,
  );
  console.log(`  ${name}: ${status.code === SpanStatusCode.ERROR ? `error, ${denials.join(', ')}` : 'ok'}`);
}
stop();
await fetch.close();
await meterProvider.shutdown();
await tracerProvider.shutdown();
server.close();
