// The browser of the tests: Debian's Chromium. `npm run browser` installs it when it is missing.
import { pathToFileURL } from 'node:url';
import { installMissing } from './services/lib/install.mjs';
import { findProgram } from './services/lib/process.mjs';

const chromium = {
  title: 'Chromium',
  packages: ['chromium'],
  find: () => findProgram('chromium', ['/usr/bin', ...(process.env.PATH ?? '').split(':')]),
};

/** The path of Chromium, or `undefined` when it is not installed. */
export const findBrowser = chromium.find;

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const missing = await installMissing({ chromium }, (line) => console.error(line));
  console.error(
    missing.chromium === undefined ? findBrowser() : `not run: no Chromium here (${missing.chromium})`,
  );
}
