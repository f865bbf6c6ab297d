// Mutants that no test can kill, since they change nothing that can be seen; each with the reason.
// `line` is the line as it stands in the source without its indentation, `original` and `replacement`
// are what Stryker prints.
export const equivalent = [];
