// SHA-256 (FIPS 180-4), synchronous: WebCrypto's digest is a promise for each call and can't be fed in pieces.

const K = new Int32Array(64);
const START = new Int32Array(8);
{
  // The constants are the first 32 bits of the fractional parts of roots of the first primes (FIPS 180-4 §4.2.2, §5.3.3).
  const fraction = (root) => ((root - Math.floor(root)) * 0x100000000) | 0;
  let count = 0;
  for (let n = 2; count < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (!prime) continue;
    if (count < 8) START[count] = fraction(Math.sqrt(n));
    K[count++] = fraction(Math.cbrt(n));
  }
}
const W = new Int32Array(64);

/** One 64-byte block of `data` at `at`, into `state`. */
function compress(state, data, at) {
  for (let i = 0; i < 16; i++, at += 4) {
    W[i] = (data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3];
  }
  for (let i = 16; i < 64; i++) {
    const x = W[i - 15];
    const y = W[i - 2];
    W[i] =
      (W[i - 16] +
        W[i - 7] +
        (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) +
        (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10))) |
      0;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < 64; i++) {
    const first =
      (h +
        (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) +
        ((e & f) ^ (~e & g)) +
        K[i] +
        W[i]) |
      0;
    const second =
      ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) ^ (a & c) ^ (b & c))) |
      0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

const TAIL = new Uint8Array(128);
const STATE = new Int32Array(8);

/** Hash what is left over (`rest` bytes of `data` from `at`) after whole blocks, of `size` bytes in all. */
function finishHash(state, data, at, rest, size) {
  const length = rest < 56 ? 64 : 128;
  TAIL.fill(0);
  for (let i = 0; i < rest; i++) TAIL[i] = data[at + i];
  TAIL[rest] = 0x80;
  new DataView(TAIL.buffer).setUint32(length - 8, Math.floor(size / 0x20000000));
  new DataView(TAIL.buffer).setUint32(length - 4, (size * 8) >>> 0);
  for (let i = 0; i < length; i += 64) compress(state, TAIL, i);
  const digest = new Uint8Array(32);
  for (let i = 0; i < 8; i++) {
    digest[4 * i] = state[i] >>> 24;
    digest[4 * i + 1] = state[i] >>> 16;
    digest[4 * i + 2] = state[i] >>> 8;
    digest[4 * i + 3] = state[i];
  }
  return digest;
}

/** SHA-256 of `data`, or of its bytes from `start` to `end`. */
function sha256(data, start = 0, end = data.length) {
  STATE.set(START);
  let at = start;
  for (; at + 64 <= end; at += 64) compress(STATE, data, at);
  return finishHash(STATE, data, at, end - at, end - start);
}

/** SHA-256 of what comes in pieces. */
class Sha256 {
  constructor() {
    this.state = Int32Array.from(START);
    this.held = new Uint8Array(64);
    this.size = 0;
  }

  update(data) {
    let at = 0;
    const held = this.size % 64;
    this.size += data.length;
    if (held) {
      at = Math.min(64 - held, data.length);
      this.held.set(data.subarray(0, at), held);
      if (held + at < 64) return;
      compress(this.state, this.held, 0);
    }
    for (; at + 64 <= data.length; at += 64) compress(this.state, data, at);
    this.held.set(data.subarray(at));
  }

  digest() {
    return finishHash(Int32Array.from(this.state), this.held, 0, this.size % 64, this.size);
  }
}
