// One contender, one row, one process: node worker.js '{ "task": ..., ... }', the result on stdout.
import { cpuUsage, memoryUsage } from 'node:process';
import { contenders } from './contenders.js';
import { prefixes as draw, probes as drawProbes, SPECIAL } from './data.js';

const { task, contender, family, count, time } = JSON.parse(process.argv[2]);
const listOf = (seed) => (count === 'special' ? SPECIAL : draw(family, count, seed));

/** Nanoseconds of the processor for this process so far: wall time does not hold on a shared machine. */
function processorTime() {
  const { user, system } = cpuUsage();
  return (user + system) * 1000;
}

/** Nanoseconds for each check: the median of turns of `time` milliseconds over all probes. */
function measure(accept, texts, milliseconds) {
  const { length } = texts;
  let accepted = 0;
  const run = (until) => {
    const start = processorTime();
    let rounds = 0;
    let elapsed = 0;
    do {
      for (let i = 0; i < length; i++) if (accept(texts[i])) accepted++;
      rounds++;
      elapsed = processorTime() - start;
    } while (elapsed < until * 1e6);
    return elapsed / (rounds * length);
  };
  run(milliseconds * 3);
  const turns = [];
  for (let i = 0; i < 5; i++) turns.push(run(milliseconds));
  turns.sort((x, y) => x - y);
  return { ns: turns[2], accepted };
}

const tasks = {
  async check() {
    const list = listOf(1);
    const asked = drawProbes(family, list);
    const accept = await contenders[contender](family, list);
    const wrong = asked.filter(({ text, accepted }) => accept(text) !== accepted).length;
    // A slow one is asked less, so that a turn ends.
    const start = processorTime();
    for (let i = 0; i < 64; i++) accept(asked[i].text);
    const each = (processorTime() - start) / 64;
    const texts = asked.map(({ text }) => text).slice(0, each > 20_000 ? 256 : asked.length);
    return { ns: measure(accept, texts, time).ns, wrong, asked: asked.length };
  },

  async build() {
    const list = listOf(1);
    // Its modules are loaded before.
    await contenders[contender](family, draw(family, 2));
    const start = processorTime();
    const accept = await contenders[contender](family, list);
    const ms = (processorTime() - start) / 1e6;
    const asked = drawProbes(family, list, 512);
    // A linear one is too slow for all of them.
    const some = contender === 'net.BlockList' && count > 10_000 ? asked.slice(0, 8) : asked;
    return { ms, wrong: some.filter(({ text, accepted }) => accept(text) !== accepted).length };
  },

  /**
   * Growth of the process with each rule set: the texts are gone when it is measured, what the rules
   * keep of them is not. One that was built and dropped before has left the process its scratch.
   */
  async memory() {
    const size = () => {
      for (let i = 0; i < 4; i++) globalThis.gc();
      const { heapUsed, external, rss } = memoryUsage();
      return { used: heapUsed + external, rss };
    };
    const sets = count <= 100 ? 500 : contender === 'netjail' ? 24 : 4;
    // Everything is loaded and has run before the first measure.
    for (let i = 0; i < 6; i++) await contenders[contender](family, draw(family, count, 99));
    const kept = [];
    const before = size();
    for (let i = 0; i < sets; i++) kept.push(await contenders[contender](family, draw(family, count, i + 1)));
    const after = size();
    if (kept.length !== sets) throw new Error('unreachable');
    return { bytes: (after.used - before.used) / sets, rss: (after.rss - before.rss) / sets };
  },

  /** Bytes of the heap for each call, from many small batches without a collection in them. */
  async allocation() {
    const list = listOf(1);
    const texts = drawProbes(family, list).map(({ text }) => text);
    const accept = await contenders[contender](family, list);
    measure(accept, texts, time);
    const batch = (calls) => {
      const before = memoryUsage().heapUsed;
      let accepted = 0;
      for (let i = 0; i < calls; i++) if (accept(texts[i])) accepted++;
      const grown = memoryUsage().heapUsed - before;
      return accepted >= 0 ? grown : 0;
    };
    const median = (calls) => {
      // Where the heap shrank there was a collection: that batch says nothing.
      const grown = Array.from({ length: 401 }, () => batch(calls)).filter((bytes) => bytes >= 0);
      return grown.sort((x, y) => x - y)[grown.length >> 1];
    };
    for (let i = 0; i < 50; i++) batch(1);
    const idle = median(0);
    return { bytes: Math.max(0, median(512) - idle) / 512 };
  },
};

try {
  console.log(JSON.stringify(await tasks[task]()));
} catch (error) {
  console.log(JSON.stringify({ error: String(error.message).split('\n')[0] }));
}
