import { misuse } from './errors.ts';
import { show } from './internal/assert.ts';

/** More scopes than any program nests, and few enough to put one into the other one by one. */
const MAX_SCOPES = 256;

interface Lists {
  allow?: string[];
  block?: string[];
}

/** Reads `ALLOW x y, BLOCK z, WITHIN ALLOW ...`: the lists of each scope, the innermost first. */
export function readScopes(text: string): Lists[] {
  const refuse = (reason = 'it is not "ALLOW ..., BLOCK ..."'): never => {
    throw misuse(SyntaxError, 'ERR_NETJAIL_INVALID_RULES', `Cannot read rules from ${show(text)}: ${reason}`);
  };
  let scope: Lists = {};
  const scopes: Lists[] = [scope];
  if (text === '') return scopes;
  let list: string[] | undefined;
  // A keyword may stand at the beginning, after a comma, and after WITHIN.
  let clause = true;
  for (const word of text.split(' ')) {
    if (clause && word === 'WITHIN') {
      if (scopes.push((scope = {})) > MAX_SCOPES) return refuse(`it has more than ${MAX_SCOPES} scopes`);
      list = undefined;
      continue;
    }
    if (clause) {
      if (word === 'ALLOW' && list === undefined) list = scope.allow = [];
      else if (word === 'BLOCK' && scope.block === undefined) list = scope.block = [];
      else return refuse();
      clause = false;
      continue;
    }
    clause = word.endsWith(',');
    const entry = clause ? word.slice(0, -1) : word;
    if (entry === '' || (entry.includes(',') && !entry.startsWith('{'))) return refuse();
    list!.push(entry);
  }
  // A comma at the end, or a keyword without entries.
  if ((clause && list !== undefined) || list?.length === 0) return refuse();
  return scopes;
}
