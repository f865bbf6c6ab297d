import { fileURLToPath } from 'node:url';

/** Where servers are kept that no package manager brings; git ignores it. */
export const CACHE = fileURLToPath(new URL('../../../.cache/services', import.meta.url)).replace(/\/$/, '');
