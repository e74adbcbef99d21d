// The Merkle tree (RFC 9162) and the two proofs of a bundle. Sizes go to 2^53, so no bit operators on them.

const NODE = new Uint8Array(65);
NODE[0] = 1;

function pair(left, right) {
  NODE.set(left, 1);
  NODE.set(right, 33);
  return sha256(NODE);
}

const leafHash = (entry) => sha256(concat(new Uint8Array(1), entry));
const half = (n) => Math.floor(n / 2);
const isOdd = (n) => n % 2 === 1;

/** Append to the compact range of `position` leaves (or of as many nodes of one level). */
function append(edge, position, value) {
  while (isOdd(position)) {
    value = pair(edge.pop(), value);
    position = half(position);
  }
  edge.push(value);
}

function fold(edge) {
  if (!edge.length) return sha256(new Uint8Array(0));
  return edge.reduceRight((result, left) => pair(left, result));
}

/** The root that a compact range of `position` leaves and the nodes to its right lead to, or null. */
function finishTree(edge, position, right, size) {
  edge = [...edge];
  for (const value of right) {
    if (position >= size) return null;
    let width = 1;
    while (2 * width <= size - position && position % (2 * width) === 0) width *= 2;
    append(edge, position / width, value);
    position += width;
  }
  return position === size ? fold(edge) : null;
}

/** RFC 9162 §2.1.4.2 for 0 < old < size. */
function isConsistent(old, oldRoot, size, newRoot, proof) {
  if (!proof.length) return false;
  let width = 1;
  while (old % (2 * width) === 0) width *= 2;
  const path = width === old ? [oldRoot, ...proof] : proof;
  let fn = old - 1;
  let sn = size - 1;
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)];
  let first = path[0];
  let second = path[0];
  for (const value of path.slice(1)) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      first = pair(value, first);
      second = pair(value, second);
      while (fn && !isOdd(fn)) [fn, sn] = [half(fn), half(sn)];
    } else {
      second = pair(second, value);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && sameBytes(first, oldRoot) && sameBytes(second, newRoot);
}

/** RFC 9162 §2.1.3.2. */
function isIncluded(leaf, index, head, proof) {
  if (index >= head.size) return false;
  let fn = index;
  let sn = head.size - 1;
  let result = leaf;
  for (const value of proof) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      result = pair(value, result);
      while (fn && !isOdd(fn)) [fn, sn] = [half(fn), half(sn)];
    } else {
      result = pair(result, value);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && sameBytes(result, head.root);
}

/** Reads the lines of a proof in turn. Everything it throws is a Fault of `part`. */
class ProofLines {
  constructor(data, part, header) {
    this.part = part;
    const text = data.every((byte) => byte < 128) ? decodeUtf8(data) : null;
    if (text === null) throw new Fault(part, "not_plain");
    this.lines = text.split("\n");
    if (this.lines.pop() !== "" || this.lines.length > 200 || this.lines.shift() !== header) {
      throw new Fault(part, "no_header", { header });
    }
  }

  next() {
    if (!this.lines.length) throw new Fault(this.part, "too_short");
    return this.lines.shift();
  }

  number(name) {
    const line = this.next();
    if (!line.startsWith(`${name} `)) throw new Fault(this.part, "no_line", { name });
    return decimal(line.slice(name.length + 1), this.part);
  }

  hashes(name) {
    const found = [];
    for (let left = this.number(name); left > 0; left--) found.push(base64(this.next(), this.part, 32));
    return found;
  }

  finish() {
    if (this.lines.length) throw new Fault(this.part, "more_lines");
  }
}

function parseRangeProof(data) {
  const lines = new ProofLines(data, "range-proof.txt", "gjestenett-range-proof/v1");
  const [size, first, last] = ["size", "first", "last"].map((name) => lines.number(name));
  const [left, right] = ["left", "right"].map((name) => lines.hashes(name));
  lines.finish();
  let ones = 0;
  for (let n = first; n; n = half(n)) ones += n % 2;
  if (left.length !== ones) throw new Fault("range-proof.txt", "left_hashes");
  return { size, first, last, left, right };
}

function parseConsistency(data) {
  const lines = new ProofLines(data, "consistency.txt", "gjestenett-consistency/v1");
  const [old, size] = ["old", "size"].map((name) => lines.number(name));
  const proof = lines.hashes("proof");
  lines.finish();
  return { old, size, proof };
}
