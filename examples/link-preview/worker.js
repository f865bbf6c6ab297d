// Takes jobs from a queue, a few at a time, and says of each what came of it.
import { deniedError } from 'netjail';
import { reasonOf } from '../lib/reason.js';

/**
 * @param {object} options
 * @param {AsyncIterable<{ id: string, link: string }> | Iterable<{ id: string, link: string }>} options.jobs
 * @param {ReturnType<typeof import('./preview.js').createPreview>} options.preview
 * @param {(result: object) => void} options.publish for whoever posted the link
 * @param {(line: object) => void} options.log for the operator; `retry` is for the queue
 * @param {number} [options.concurrency]
 */
export async function work({ jobs, preview, publish, log, concurrency = 4 }) {
  const queue = jobs[Symbol.asyncIterator]?.() ?? jobs[Symbol.iterator]();
  const worker = async () => {
    for (let next = await queue.next(); !next.done; next = await queue.next()) {
      const { id, link } = next.value;
      try {
        publish({ id, preview: await preview(link) });
      } catch (error) {
        // A denial stays one until the rules change: trying again is of no use.
        const denied = deniedError(error);
        const retry = denied === undefined && (error.code === 'unreachable' || error.code === 'too-slow');
        log({ id, link, error: reasonOf(error), reason: denied?.reason, retry });
        publish({ id, error: error.code });
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
