// The ZIP in the narrow form of bundles: files back to back, each header as the directory has it, nothing else.

const MAX_SMALL_BYTES = 8 << 20;
const MAX_VIEW_BYTES = 256 << 20;
const MAX_FILES = 20000;
const MAX_DIRECTORY_BYTES = 8 << 20;
const MAX_RATIO = 200;
const MOST = 0xffffffff;
const REQUIRED = [
  "README.txt", "checkpoint", "disclosures.jsonl", "entries.jsonl", "keys.vkey", "leaves.txt", "manifest.json",
  "range-proof.txt", "view.csv",
];
const OPTIONAL = ["consistency.txt", "rotations.txt", "selection.txt", "sample.csv"];
const LONG = ["disclosures.jsonl", "entries.jsonl", "leaves.txt", "sample.csv", "selection.txt", "view.csv"];
const TERMS = /^terms\/([0-9a-f]{64})\.(md|html)$/;
const OTHER_VIEW = /^(view|report)(-[a-z0-9]{1,16})?\.(xlsx|pdf|jsonl|html)$/;

/** A ZIP over a Blob. `open` first. */
class Zip {
  constructor(blob, name) {
    this.blob = blob;
    this.name = name;
    this.members = new Map();
    this.onRead = () => {};
  }

  fault(code, params = {}) {
    return new Fault(this.name, code, params, CONTAINER);
  }

  async at(offset, count) {
    return new Uint8Array(await this.blob.slice(offset, offset + count).arrayBuffer());
  }

  async digest() {
    const hash = new Sha256();
    for (let offset = 0; offset < this.blob.size; offset += 1 << 20) {
      const piece = await this.at(offset, 1 << 20);
      hash.update(piece);
      this.onRead(piece.length);
    }
    return hex(hash.digest());
  }

  async open() {
    const { directory, count, stop } = await this.directory();
    const place = { inside: 0, file: 0 };
    for (let i = 0; i < count; i++) await this.member(directory, place);
    if (place.inside !== directory.length || place.file !== stop - directory.length) throw this.fault("foreign_bytes");
    for (const name of REQUIRED) if (!this.members.has(name)) throw new Fault(name, "missing_in_zip");
    return this;
  }

  async directory() {
    const end = this.blob.size;
    const tail = await this.at(Math.max(0, end - 98), 98);
    const broken = this.fault("not_a_zip");
    if (tail.length < 22) throw broken;
    const last = new Fields(tail.subarray(-22));
    let [sign, disk, other, here, count, size, start, comment] = last.read([4, 2, 2, 2, 2, 4, 4, 2]);
    let stop = end - 22;
    if (sign !== 0x06054b50 || disk || other || here !== count || comment) throw broken;
    if (tail.length === 98 && new Fields(tail.subarray(56)).read([4])[0] === 0x07064b50) {
      stop = end - 98;
      const wide = new Fields(tail).read([4, 8, 2, 2, 4, 4, 8, 8, 8, 8]);
      const short = [Math.min(wide[7], 0xffff), Math.min(wide[8], MOST), Math.min(wide[9], MOST)];
      if (wide[0] !== 0x06064b50 || wide[1] !== 44 || wide[4] || wide[5] || wide[6] !== wide[7]) throw broken;
      if (short[0] !== count || short[1] !== size || short[2] !== start) throw broken;
      const [, first, offset, total] = new Fields(tail.subarray(56)).read([4, 4, 8, 4]);
      if (first !== 0 || offset !== stop || total !== 1) throw broken;
      [count, size, start] = wide.slice(7);
    }
    if (start + size !== stop) throw broken;
    if (count > MAX_FILES || size > MAX_DIRECTORY_BYTES) throw this.fault("too_many_files");
    return { directory: await this.at(start, size), count, stop };
  }

  /** Read one file's entry in the directory and its own header, and move `place` on. */
  async member(directory, place) {
    const fixed = directory.subarray(place.inside, place.inside + 46);
    if (fixed.length !== 46 || new Fields(fixed).read([4])[0] !== 0x02014b50) throw this.fault("bad_directory");
    const words = new Fields(fixed.subarray(8)).read([2, 2, 4, 4, 4, 4, 2, 2, 2, 2, 2, 4, 4]);
    const [flags, method, , crc, packedShort, sizeShort, nameLength, extraLength, commentLength, disk] = words;
    const raw = directory.subarray(place.inside + 46, place.inside + 46 + nameLength);
    const name = asciiName(raw);
    if (!REQUIRED.includes(name) && !OPTIONAL.includes(name) && !TERMS.test(name) && !OTHER_VIEW.test(name)) {
      throw this.fault("foreign_file", { name });
    }
    if (this.members.has(name)) throw new Fault(name, "there_twice");
    if (flags & ~0x800 || (method !== 0 && method !== 8)) throw new Fault(name, "bad_packing");
    place.inside += 46 + nameLength;
    const extra = directory.subarray(place.inside, place.inside + extraLength);
    place.inside += extraLength;
    const sizes = widened(extra, [sizeShort, packedShort, words[12]]);
    if (sizes === null || commentLength || disk) throw new Fault(name, "more_in_directory");
    const [size, packed, offset] = sizes;
    if (size > Math.max(MAX_SMALL_BYTES, MAX_RATIO * packed)) throw new Fault(name, "bomb");
    const most = OTHER_VIEW.test(name) ? MAX_VIEW_BYTES : MAX_SMALL_BYTES;
    if (!LONG.includes(name) && size > most) throw new Fault(name, "too_large", { most });
    if (offset !== place.file) throw this.fault("foreign_bytes");
    const header = await this.at(place.file, 30);
    if (header.length !== 30 || new Fields(header).read([4])[0] !== 0x04034b50) throw new Fault(name, "no_header_there");
    const own = new Fields(header.subarray(6)).read([2, 2, 4, 4, 4, 4, 2, 2]);
    const rest = await this.at(place.file + 30, own[6] + own[7]);
    const ownSizes = widened(rest.subarray(own[6]), [own[5], own[4]]);
    const same = own.slice(0, 4).every((word, i) => word === words[i]) && sameBytes(rest.subarray(0, own[6]), raw);
    if (!same || ownSizes === null || ownSizes[0] !== size || ownSizes[1] !== packed) {
      throw new Fault(name, "other_header");
    }
    const begin = place.file + 30 + rest.length;
    place.file = begin + packed;
    this.members.set(name, { name, begin, packed, size, crc, deflated: method === 8 });
  }

  stream(name) {
    return new MemberStream(this, this.members.get(name));
  }
}

/** Reads little-endian numbers of 2, 4 or 8 bytes in turn. */
class Fields {
  constructor(bytes) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(widths) {
    let at = 0;
    return widths.map((width) => {
      at += width;
      if (width === 2) return this.view.getUint16(at - 2, true);
      if (width === 4) return this.view.getUint32(at - 4, true);
      return Number(this.view.getBigUint64(at - 8, true)); // beyond 2^53 it fits no file, rounded or not
    });
  }
}

function asciiName(raw) {
  return Array.from(raw, (byte) => (byte < 128 ? String.fromCharCode(byte) : `\\x${HEX_PAIRS[byte]}`)).join("");
}

/** The values, those that are MOST from the ZIP64 field; null when there is another extra field or too little. */
function widened(extra, values) {
  const places = values.flatMap((value, i) => (value === MOST ? [i] : []));
  if (!places.length) return extra.length ? null : values;
  if (extra.length !== 4 + 8 * places.length) return null;
  const [tag, length, ...wide] = new Fields(extra).read([2, 2, ...places.map(() => 8)]);
  if (tag !== 1 || length !== extra.length - 4) return null;
  places.forEach((place, i) => (values[place] = wide[i]));
  return values;
}

const CRC = new Int32Array(256).map((_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

/** Bounded reading of one file of the ZIP, hashed on the way; damage ends it and is kept as `fault`. */
class MemberStream {
  constructor(zip, member) {
    this.zip = zip;
    this.member = member;
    this.fault = null;
    this.hash = new Sha256();
    this.buffer = new Uint8Array(0);
    this.position = 0;
    this.crc = -1;
    this.done = false;
  }

  start() {
    const { begin, packed, size, crc, deflated } = this.member;
    const data = this.zip.blob.slice(begin, begin + packed);
    if (!deflated) return data.stream().getReader();
    // With a header and trailer about it, it is gzip: the browser then checks the CRC and that nothing follows.
    const trailer = new DataView(new ArrayBuffer(8));
    trailer.setUint32(0, crc, true);
    trailer.setUint32(4, size % 0x100000000, true);
    const gzip = new Blob([Uint8Array.of(31, 139, 8, 0, 0, 0, 0, 0, 0, 255), data, trailer]);
    return gzip.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  }

  /** Read another piece; false at the end. */
  async more() {
    if (this.done) return false;
    this.reader ??= this.start();
    let piece = null;
    try {
      piece = (await this.reader.read()).value ?? null;
    } catch (error) {
      if (error.name === "NotReadableError" || error.name === "NotFoundError") throw error;
      return this.end(false);
    }
    if (piece === null) return this.end(this.isWhole());
    if (this.hash.size + piece.length > this.member.size) {
      await this.reader.cancel();
      return this.end(false);
    }
    this.hash.update(piece);
    if (!this.member.deflated) for (const byte of piece) this.crc = CRC[(this.crc ^ byte) & 255] ^ (this.crc >>> 8);
    this.zip.onRead(piece.length);
    const rest = this.buffer.subarray(this.position);
    this.buffer = rest.length ? concat(rest, piece) : piece;
    this.position = 0;
    return true;
  }

  isWhole() {
    return this.hash.size === this.member.size && (this.member.deflated || ~this.crc >>> 0 === this.member.crc);
  }

  end(whole) {
    this.done = true;
    if (!whole) this.fault = new Fault(this.member.name, "damaged");
    return false;
  }

  /** The next line with its LF, cut at `limit`, empty at the end; undefined when more must be read first. */
  lineNow(limit) {
    const start = this.position;
    const held = this.buffer.length - start;
    let end = this.buffer.indexOf(10, start) + 1;
    if (end && end - start > limit) end = start + limit;
    if (!end) {
      if (held < limit && !this.done) return undefined;
      end = start + Math.min(held, limit);
    }
    this.position = end;
    return this.buffer.subarray(start, end);
  }

  async line(limit) {
    let line;
    while ((line = this.lineNow(limit)) === undefined) await this.more();
    return line;
  }

  /** The next `count` bytes; undefined when more must be read first. */
  takeNow(count) {
    if (this.buffer.length - this.position < count && !this.done) return undefined;
    const taken = this.buffer.subarray(this.position, this.position + count);
    this.position += taken.length;
    return taken;
  }

  async take(count) {
    let taken;
    while ((taken = this.takeNow(count)) === undefined) await this.more();
    return taken;
  }

  /** All of a small file. Throws its fault. */
  async whole() {
    const pieces = [];
    while (await this.more()) {
      pieces.push(this.buffer);
      this.position = this.buffer.length;
    }
    if (this.fault) throw this.fault;
    return concat(...pieces);
  }

  /** Read to the end and say what is wrong with the file's bytes, if they are not those stated. */
  async finish(stated) {
    do this.position = this.buffer.length;
    while (await this.more());
    if (!this.fault && (this.hash.size !== stated.size || hex(this.hash.digest()) !== stated.sha256)) {
      return new Fault(this.member.name, "other_bytes");
    }
    return this.fault;
  }
}
