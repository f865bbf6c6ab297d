// Equivalent mutants of addresses, prefixes, hosts and ports: see ../equivalent.mjs.
export const equivalent = [];
