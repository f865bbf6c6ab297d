// Equivalent mutants of the tables: see ../equivalent.mjs.
export const equivalent = [];
