// The OpenTelemetry example, with the real SDK.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { context, trace, type Meter } from '@opentelemetry/api';
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
import { createDial } from '../src/dial.ts';
import { Rules } from '../src/rules.ts';
import { packageRoot } from './helpers/data.ts';
import { assertDenied } from './helpers/denial.ts';
import { ALLOWED, DENIED, startLab } from './helpers/lab.ts';

const folder = join(packageRoot, '../../examples/opentelemetry');

describe('examples/opentelemetry', () => {
  it('counts verdicts by reason, without hosts, and marks denials in the active span', async (t) => {
    const lab = await startLab(t);
    const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 60_000 });
    const meterProvider = new MeterProvider({ readers: [reader] });
    const spans = new InMemorySpanExporter();
    const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    t.after(async () => {
      context.disable();
      await meterProvider.shutdown();
      await tracerProvider.shutdown();
    });
    const telemetry = (await import(pathToFileURL(join(folder, 'telemetry.js')).href)) as {
      observeVerdicts(meter: Meter): () => void;
    };
    const stop = telemetry.observeVerdicts(meterProvider.getMeter('test'));

    const reach = (dial: ReturnType<typeof createDial>, host: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const socket = dial({ host, port: lab.port }, () => (socket.destroy(), resolve()));
        socket.on('error', reject);
      });
    const rules = new Rules({ allow: ['127.0.0.0/8'], block: [DENIED] });
    const dial = createDial({ rules });
    const blocked = { host: DENIED, reason: 'blocked', address: DENIED, entry: DENIED } as const;
    await tracerProvider.getTracer('test').startActiveSpan('allowed', async (span) => {
      await reach(dial, ALLOWED);
      span.end();
    });
    await tracerProvider.getTracer('test').startActiveSpan('denied', async (span) => {
      await assertDenied(reach(dial, DENIED), blocked);
      span.end();
    });
    await assertDenied(reach(dial, DENIED), blocked);
    await assertDenied(reach(createDial(), 'name.test'), { host: 'name.test', reason: 'no-rules' });
    await reach(createDial({ rules, mode: 'report' }), DENIED);
    stop();
    await assertDenied(reach(dial, DENIED), blocked);

    await meterProvider.forceFlush();
    const [counter] = metrics.getMetrics().at(-1)!.scopeMetrics[0]!.metrics;
    assert.equal(counter!.descriptor.name, 'netjail.verdicts');
    const points = counter!.dataPoints.map(({ value, attributes }) => ({ value, ...attributes }));
    assert.deepEqual(points, [
      { value: 1, 'netjail.allowed': true, 'netjail.mode': 'enforce' },
      { value: 2, 'netjail.allowed': false, 'netjail.mode': 'enforce', 'netjail.reason': 'blocked' },
      { value: 1, 'netjail.allowed': false, 'netjail.mode': 'enforce', 'netjail.reason': 'no-rules' },
      { value: 1, 'netjail.allowed': false, 'netjail.mode': 'report', 'netjail.reason': 'blocked' },
    ]);
    assert.deepEqual(
      spans.getFinishedSpans().map(({ name, events }) => [name, events.map((event) => event.attributes)]),
      [
        ['allowed', []],
        [
          'denied',
          [
            {
              'netjail.reason': 'blocked',
              'netjail.mode': 'enforce',
              'server.address': DENIED,
              'server.port': lab.port,
              'network.peer.address': DENIED,
              'netjail.entry': DENIED,
            },
          ],
        ],
      ],
    );
    assert.equal(trace.getActiveSpan(), undefined);
    assert.deepEqual([lab.allowed.connections, lab.denied.connections], [1, 1]); // the one that was only reported
  });

  it('runs with one command and prints counters and spans', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--no-warnings', join(folder, 'main.js')],
      {
        encoding: 'utf8',
      },
    );
    assert.equal(status, 0, stderr);
    assert.equal(
      stdout,
      [
        'netjail.verdicts',
        '  1  allowed',
        '  2  denied: not-allowed',
        '  1  denied: blocked',
        'spans',
        '  GET 127.0.0.2: ok',
        '  GET 169.254.169.254: error, 169.254.169.254 not-allowed',
        '  GET intranet.example: error, 10.0.0.7 not-allowed',
        '  GET 203.0.113.9: error, 203.0.113.9 blocked',
        '',
      ].join('\n'),
    );
  });
});
