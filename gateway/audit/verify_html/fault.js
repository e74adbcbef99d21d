// What does not hold: the part (a file), what is wrong (a key of the words), and where in it.

/** Thrown for a part that does not hold. `where` is [kind, ...values], a kind being a key of the words, or null. */
class Fault extends Error {
  constructor(part, code, params = {}, where = null) {
    super(`${part}: ${code}`);
    this.problem = { part, code, params, where };
  }
}

/** Thrown where there is no verdict: something, or something else, must be given first. */
class WrongUse extends Fault {}

const inText = (text) => ["raw", text];
const inLine = (line) => ["line", line];
const inRow = (row) => ["row", row];
const CONTAINER = inText("container");
