// Equivalent mutants of lists, layers, rules and explanations: see ../equivalent.mjs.
export const equivalent = [];
