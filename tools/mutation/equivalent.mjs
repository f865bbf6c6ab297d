// Mutants that no test can kill, since they change nothing that can be seen; each with the reason.
// `line` is the line as it stands in the source without its indentation, `original` and `replacement`
// are what `npm run mutation` prints.
import { equivalent as policy } from './equivalent/policy.mjs';
import { equivalent as rules } from './equivalent/rules.mjs';
import { equivalent as tables } from './equivalent/tables.mjs';
import { equivalent as values } from './equivalent/values.mjs';

export const equivalent = [...values, ...tables, ...rules, ...policy];
