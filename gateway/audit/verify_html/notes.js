// Signed notes (c2sp.org/signed-note) with Ed25519 keys: keys, checkpoints, changes of key, sidecars.

function base64(text, part, length = null) {
  const data = decodeBase64(text);
  if (data === null || (length !== null && data.length !== length)) throw new Fault(part, "bad_base64");
  return data;
}

function decimal(text, part) {
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(text)) throw new Fault(part, "bad_number");
  return Number(text);
}

function parseKey(line, part, where) {
  const [, name, id, payload] = /^([^+]+)\+([0-9a-f]{8})\+([^]*)$/.exec(line) ?? [];
  if (name === undefined) throw new Fault(part, "not_a_key", {}, where);
  const blob = base64(payload, part, 33);
  const own = hex(sha256(concat(encodeUtf8(`${name}\n`), blob)).subarray(0, 4));
  if (blob[0] !== 1 || own !== id) throw new Fault(part, "wrong_key_id", {}, where);
  return { name, id, public: blob.slice(1) };
}

function parseKeys(text, part) {
  const lines = text.replaceAll("\r\n", "\n").replace(/\n$/, "").split("\n");
  return lines.map((line, i) => parseKey(line, part, inLine(i + 1)));
}

const sameKey = (a, b) => a.name === b.name && a.id === b.id && sameBytes(a.public, b.public);

async function isSignedBy(key, signature, text) {
  try {
    const imported = await crypto.subtle.importKey("raw", key.public, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", imported, signature, text);
  } catch {
    return false; // not a point of the curve
  }
}

/** Whether this browser checks Ed25519 and does it rightly: the second test of RFC 8032 §7.1, and a changed text. */
async function canVerify() {
  const bytes = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
  const key = { public: bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c") };
  const signature = bytes(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  );
  if (!globalThis.crypto?.subtle || !globalThis.DecompressionStream || !"".isWellFormed) return false;
  return (await isSignedBy(key, signature, bytes("72"))) && !(await isSignedBy(key, signature, bytes("73")));
}

/** The lines of a signed note whose every signature by a trusted key holds, and there is one. Throws Fault. */
async function openNote(data, trusted, part, where = null) {
  let cut = data.length - 2;
  while (cut >= 0 && !(data[cut] === 10 && data[cut + 1] === 10)) cut--;
  const text = decodeUtf8(data.subarray(0, Math.max(cut, 0)));
  const lines = decodeUtf8(cut < 0 ? data : data.subarray(cut + 2))?.split("\n");
  if (text === null || !lines) throw new Fault(part, "not_utf8", {}, where);
  // eslint-disable-next-line no-control-regex
  if (cut < 0 || lines.pop() !== "" || !lines.length || lines.length > 64 || /[\x00-\x09\x0b-\x1f]/.test(text)) {
    throw new Fault(part, "not_a_note", {}, where);
  }
  const signed = data.subarray(0, cut + 1);
  let good = 0;
  for (const [i, line] of lines.entries()) {
    const place = where ?? ["signature", i + 1];
    const [dash, name, payload, ...more] = line.split(" ");
    if (dash !== "—" || !name || payload === undefined || more.length) {
      throw new Fault(part, "not_a_signature", {}, place);
    }
    const blob = base64(payload, part);
    for (const key of trusted) {
      if (key.name !== name || key.id !== hex(blob.subarray(0, 4))) continue;
      if (!(await isSignedBy(key, blob.subarray(4), signed))) throw new Fault(part, "bad_signature", { name }, place);
      good++;
    }
  }
  if (!good) throw new Fault(part, "untrusted", {}, where);
  return text.split("\n");
}

async function openCheckpoint(data, trusted, part) {
  const lines = await openNote(data, trusted, part);
  if (lines.length !== 3 || !trusted.some((key) => key.name === lines[0])) throw new Fault(part, "not_a_checkpoint");
  return { origin: lines[0], size: decimal(lines[1], part), root: base64(lines[2], part, 32) };
}

const SIDECAR_HEADER = "gjestenett-bundle-sidecar/v1\n";

/** Whether a file, or its bytes, begins so. */
async function hasHeader(file, header) {
  return (await new Blob([file]).slice(0, header.length).text()) === header;
}

/** Throws WrongUse for a bundle that begins as a sidecar, or the other way round. */
async function refuseMixedUp(blob, name, sidecar, signedBy) {
  const isNote = await hasHeader(blob, SIDECAR_HEADER);
  const isZip = sidecar !== null && (await hasHeader(sidecar, "PK\x03\x04"));
  if (isNote) throw new WrongUse(name, isZip ? "swapped" : "note_for_bundle");
  if (isZip) throw new WrongUse(signedBy, "bundle_for_note");
}

// eslint-disable-next-line no-control-regex
const CHECKPOINT = /^[^\x00-\x1f]+\n[0-9]+\n[A-Za-z0-9+/]{43}=\n\n(?:— [^ \n]+ [A-Za-z0-9+/=]+\n){1,64}$/;

/** Throws WrongUse for what is not written as a checkpoint is, whoever may have signed it. */
function refuseOther(checkpoint) {
  if (checkpoint && !CHECKPOINT.test(utf8Lenient.decode(checkpoint))) throw new WrongUse(EARLIER, "other_for_checkpoint");
}

async function openSidecar(data, trusted, part) {
  const text = (await openNote(data, trusted, part)).join("\n");
  const pattern =
    /^gjestenett-bundle-sidecar\/v1\n([^\n]+)\nsize (\d{1,15})\nzip ([0-9a-f]{64})\nmanifest ([0-9a-f]{64})$/;
  const found = pattern.exec(text);
  if (!found) throw new Fault(part, "not_a_sidecar");
  return { origin: found[1], size: Number(found[2]), zip: found[3], manifest: found[4] };
}

/** The notes of rotations.txt: `note N`, LF, N bytes, over and over. */
function* rotationNotes(data) {
  for (let place = 0, number = 1; place < data.length; number++) {
    const start = utf8Lenient.decode(data.subarray(place, place + 13));
    const found = /^note ([1-9][0-9]{0,6})\n/.exec(start);
    const end = found ? place + found[0].length + Number(found[1]) : Infinity;
    if (end > data.length) throw new Fault("rotations.txt", "not_rotations", {}, ["note", number]);
    yield data.subarray(place + found[0].length, end);
    place = end;
  }
}

/** The key that the note makes trusted; null when no trusted key signed it. */
async function openRotation(note, trusted, where) {
  const part = "rotations.txt";
  let lines;
  try {
    lines = await openNote(note, trusted, part, where);
  } catch (fault) {
    if (fault.problem?.code === "untrusted") return null;
    throw fault;
  }
  if (lines.length !== 3 || lines[0] !== "gjestenett key rotation v1") {
    throw new Fault(part, "not_a_rotation", {}, where);
  }
  const key = parseKey(lines[2], part, where);
  // Only a key of the log itself may name its successor: a witness's key may be trusted too.
  const signers = trusted.filter((one) => one.name === lines[1]);
  if (key.name !== lines[1] || !signers.length) throw new Fault(part, "other_log_key", {}, where);
  await openNote(note, signers, part, where);
  return key;
}
