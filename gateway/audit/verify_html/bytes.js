// Bytes and their spellings: UTF-8, hex, base64. Every decoder is strict: one value has one spelling.

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8Lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const utf8Encoder = new TextEncoder();

const encodeUtf8 = (text) => utf8Encoder.encode(text);

/** The text of UTF-8, or null. */
function decodeUtf8(bytes) {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

function concat(...pieces) {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let place = 0;
  for (const piece of pieces) {
    whole.set(piece, place);
    place += piece.length;
  }
  return whole;
}

function sameBytes(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const HEX_PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex(bytes) {
  let text = "";
  for (const byte of bytes) text += HEX_PAIRS[byte];
  return text;
}

const STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE = encodeUtf8(STANDARD.replace("+/", "-_"));

/** The bytes of standard base64 in its canonical spelling, or null. */
function decodeBase64(text) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4) return null;
  let binary;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  return btoa(binary) === text ? Uint8Array.from(binary, (char) => char.charCodeAt(0)) : null;
}

/** Base64url without padding of `source` from `start` to `end`, written into `target`; returns its length. */
function base64urlInto(source, start, end, target) {
  let place = 0;
  let i = start;
  for (; i + 2 < end; i += 3) {
    const bits = (source[i] << 16) | (source[i + 1] << 8) | source[i + 2];
    target[place++] = URL_SAFE[bits >> 18];
    target[place++] = URL_SAFE[(bits >> 12) & 63];
    target[place++] = URL_SAFE[(bits >> 6) & 63];
    target[place++] = URL_SAFE[bits & 63];
  }
  if (i < end) {
    const bits = (source[i] << 16) | ((i + 1 < end ? source[i + 1] : 0) << 8);
    target[place++] = URL_SAFE[bits >> 18];
    target[place++] = URL_SAFE[(bits >> 12) & 63];
    if (i + 1 < end) target[place++] = URL_SAFE[(bits >> 6) & 63];
  }
  return place;
}
