// Canonical JSON (RFC 8785) of text, integers, lists and objects: read back only in its one spelling.

const MAX_DEPTH = 16;

/** The canonical text of a value. Throws what it can't spell. */
function canonical(value, depth = 0) {
  if (depth > MAX_DEPTH) throw new RangeError("deeper than entries are");
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new RangeError("half a surrogate pair");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError("not an integer that a double holds");
    return JSON.stringify(value);
  }
  if (value === null || typeof value === "boolean") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(",")}]`;
  // sort() compares UTF-16 code units, as RFC 8785 §3.2.3 wants.
  const pairs = Object.keys(value)
    .sort()
    .map((key) => `${canonical(key)}:${canonical(value[key], depth + 1)}`);
  return `{${pairs.join(",")}}`;
}

/** The value of canonical JSON, or null. */
function parseCanonical(bytes) {
  const text = decodeUtf8(bytes);
  if (text === null) return null;
  try {
    const value = JSON.parse(text);
    return canonical(value) === text ? value : null;
  } catch {
    return null;
  }
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function hasExactly(object, names) {
  return Object.keys(object).length === names.length && names.every((name) => Object.hasOwn(object, name));
}
