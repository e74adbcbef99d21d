// The long files read side by side in constant memory: entries, leaves, disclosures, selection, view.

const MAX_ENTRY_BYTES = 65535;
const MAX_LINE_BYTES = 1 << 20;
const ENCODED = new Uint8Array(3 * MAX_LINE_BYTES);
const BASE64URL = new Uint8Array(4 * MAX_LINE_BYTES + 4);
const ROW = { bytes: new Uint8Array(1 << 16) };

class Walk {
  constructor(verifier, streams, manifest, proof, head) {
    Object.assign(this, { verifier, streams, manifest });
    this.entries = streams.get("entries.jsonl");
    this.leaves = streams.get("leaves.txt");
    this.disclosures = streams.get("disclosures.jsonl");
    this.view = streams.get("view.csv");
    this.selection = streams.get("selection.txt") ?? null;
    this.first = manifest.first;
    this.last = manifest.last;
    this.edge = [...proof.left];
    this.oldSize = verifier.earlier?.size ?? null;
    this.oldRoot = this.oldSize === this.first ? fold(this.edge) : null;
    this.fields = new Set(manifest.fields);
    this.filter = new Filter(manifest.filter, manifest.fields);
    this.draw = manifest.sample ? new Draw(head.root, manifest.sample.count, manifest.sample.number) : null;
    this.texts = new Map(); // name of a text: the first entry that names it
    this.accepted = new Map();
    this.rotations = new Map();
    this.restores = new Map(); // the entry: its time, the size restored to, the size known
    this.erased = new Ranges();
    this.erasing = [];
    this.shows = []; // for each entry, 1 when any of its fields is shown
    this.otherTypes = new Set();
    this.oddLeaf = null;
    this.badEntry = null;
    this.complete = false;
    this.disclosed = this.recorded = this.rows = 0;
    this.viewReadable = this.disclosuresReadable = true;
    this.pending = null;
    this.disclosureLine = this.selectionLine = 0;
    this.previous = { index: -1, name: "" };
    this.selected = -1;
  }

  line(index) {
    return ["entry_line", index - this.first + 1, index];
  }

  async run() {
    const heading = "\ufeff" + csvRow(HEADINGS[this.manifest.language].split(";"));
    await this.verifier.noting(async () => {
      await this.expectRow(heading);
      this.nextDisclosure(await this.disclosures.line(MAX_LINE_BYTES));
      if (this.selection) await this.nextSelected();
      for (let index = this.first; index < this.last; index++) {
        this.verifier.index = index;
        await this.entry(index);
      }
      if ((await this.entries.line(1)).length) {
        throw new Fault("entries.jsonl", "more_entries", {}, this.line(this.last));
      }
      this.complete = true;
      await this.ends();
      await this.sample(heading);
    });
  }

  async entry(index) {
    const line = this.entries.lineNow(MAX_ENTRY_BYTES + 1) ?? (await this.entries.line(MAX_ENTRY_BYTES + 1));
    if (!line.length) {
      this.badEntry ??= index;
      throw new Fault("entries.jsonl", "missing_entry", {}, this.line(index));
    }
    const whole = line.at(-1) === 10;
    const entry = whole ? line.subarray(0, -1) : line;
    const leaf = entryLeaf(entry);
    const stated = this.leaves.lineNow(17) ?? (await this.leaves.line(17));
    if (this.oddLeaf === null && !beginsLeaf(stated, leaf)) this.oddLeaf = index;
    append(this.edge, index, leaf);
    if (index + 1 === this.oldSize) this.oldRoot = fold(this.edge);
    let acceptance;
    let digests;
    try {
      const text = decodeUtf8(line);
      const found = text === null ? null : PLAIN_ACCEPTANCE.exec(text);
      if (found) [acceptance, digests] = this.plainAcceptance(found, index);
      else if (!whole) throw new Fault("entries.jsonl", "cut_line", {}, this.line(index));
      else [acceptance, digests] = this.anyEntry(parseEntry(entry, this.line(index)), index);
    } catch (fault) {
      this.verifier.note(fault);
      this.badEntry ??= index;
      this.viewReadable = this.disclosuresReadable = false; // what depends on it can't be judged
      return;
    }
    this.recorded += digests.length;
    let shown = acceptance !== null && this.filter.plain(acceptance);
    if (this.selection) shown = await this.isSelected(index, shown);
    const values = new Map();
    while (this.pending?.index === index && this.disclosuresReadable) {
      if (!this.disclosure(digests, shown, values)) continue;
      this.nextDisclosure(this.disclosures.lineNow(MAX_LINE_BYTES) ?? (await this.disclosures.line(MAX_LINE_BYTES)));
    }
    this.shows.push(values.size ? 1 : 0);
    if (shown && this.viewReadable) {
      this.rows++;
      const row = this.row(index, acceptance, values);
      await this.expectRow(row);
      if (this.selection) this.checkSelected(index, values);
      this.draw?.offer(index, row);
    }
  }

  /** What `anyEntry` says of the same line, several times as fast. */
  plainAcceptance(found, index) {
    const [, at, by, listed, html, language, text, version, site] = found;
    const digests = listed ? listed.slice(1, -1).split('","') : [];
    if (!isAscending(digests)) throw new Fault("entries.jsonl", "unsorted_digests", {}, this.line(index));
    const acceptance = { at, site, version, language, text, html, by };
    this.count(acceptance, index);
    return [acceptance, digests];
  }

  anyEntry(document, index) {
    const { type, personal } = document;
    for (const name of namedTexts(document)) if (!this.texts.has(name)) this.texts.set(name, index);
    if (!PLAIN.has(type)) this.bounded(this.otherTypes.add(type));
    if (type === "erased") {
      for (const [first, last] of leafRanges(document.leaves, this.line(index))) this.erased.add(first, last);
      this.erasing.push(index);
    }
    if (type === "key_rotated" && !this.rotations.has(document.note)) {
      this.bounded(this.rotations.set(document.note, index));
    }
    if (type === "restored") {
      this.bounded(this.restores.set(index, { at: document.at, size: document.size, known: document.known_size }));
    }
    if (type !== "acceptance") return [null, personal];
    const { version, language, text_sha256: text, html_sha256: html } = document.rules;
    const acceptance = { at: document.at, site: document.site, version, language, text, html, by: document.identified_by };
    this.count(acceptance, index);
    return [acceptance, personal];
  }

  count({ version, language, text, html }, index) {
    const key = `${text}${html}${language.length} ${language}${version}`;
    const known = this.accepted.get(key);
    if (known) {
      known.count++;
      return;
    }
    this.accepted.set(key, { version, language, text, count: 1 });
    this.bounded(this.accepted);
    for (const name of [`terms/${text}.md`, `terms/${html}.html`]) if (!this.texts.has(name)) this.texts.set(name, index);
  }

  /** What the entries `restored` say. */
  lost() {
    return [...this.restores].map(([index, { at, size, known }]) => {
      const code = known > size + 1 ? "fact_restored" : known > size ? "fact_restored_one" : "fact_restored_other";
      return [code, { index, at, first: size, last: known - 1, known }];
    });
  }

  /** Which restores may be why a checkpoint of `size` entries contradicts the log: those to less than that. */
  explained(size) {
    const found = [...this.restores].filter(([, restore]) => restore.size < size).map(([index]) => index);
    if (!found.length) return "";
    return [found.length > 1 ? "restores_explain" : "restore_explains", { by: someOf(found) }];
  }

  bounded(things) {
    if (things.size > MAX_FILES) throw new Fault("entries.jsonl", "too_many_kinds");
  }

  row(index, { at, site, version, language, text, by }, values) {
    let row = `"${index}";"${at}";"${csvCell(site)}";"${csvCell(version)}";"${csvCell(language)}";"${text}";"${by}"`;
    for (const name of PERSONAL_COLUMNS) row += `;"${csvCell(values.get(name) ?? "")}"`;
    return `${row}\r\n`;
  }

  /** Take the pending disclosure; false when it does not belong here. */
  disclosure(digests, shown, values) {
    const { index, name, encoded, value } = this.pending;
    if (!digests.includes(digestOf(encoded))) return this.badDisclosure("other_value", { name, index });
    if (!shown || !this.fields.has(name)) return this.badDisclosure("outside_filter", { name, index });
    values.set(name, value);
    this.disclosed++;
    return true;
  }

  /** Read a line into `pending`: its index, name, canonical [salt, name, value], and value. */
  nextDisclosure(line) {
    this.disclosureLine++;
    this.pending = null;
    if (!line.length) return;
    const text = decodeUtf8(line);
    const found = text === null ? null : PLAIN_DISCLOSURE.exec(text);
    const read = found
      ? { index: Number(found[1]), name: found[2], encoded: `["${found[3]}","${found[2]}","${found[4]}"]`, value: found[4] }
      : this.anyDisclosure(line);
    if (!read) return;
    const { index, name } = read;
    if (index < this.previous.index || (index === this.previous.index && !isBefore(this.previous.name, name))) {
      this.badDisclosure("out_of_order");
    } else if (index < this.first || index >= this.last) {
      this.badDisclosure("foreign_disclosure", { index });
    } else {
      this.previous = read;
      this.pending = read;
    }
  }

  anyDisclosure(line) {
    const found = line.at(-1) === 10 ? parseCanonical(line.subarray(0, -1)) : null;
    if (!isObject(found) || !hasExactly(found, ["index", "name", "salt", "value"])) {
      return this.badDisclosure("not_a_disclosure");
    }
    const { index, name, salt, value } = found;
    if (typeof index !== "number" || [name, salt, value].some((text) => typeof text !== "string")) {
      return this.badDisclosure("odd_disclosure");
    }
    return { index, name, encoded: canonical([salt, name, value]), value };
  }

  badDisclosure(code, params = {}) {
    this.disclosuresReadable = this.viewReadable = false;
    this.verifier.note(new Fault("disclosures.jsonl", code, params, inLine(this.disclosureLine)));
    return false;
  }

  /** Read the next line of selection.txt into `selected`; -1 at its end. */
  async nextSelected() {
    this.selectionLine++;
    const line = this.selection.lineNow(18) ?? (await this.selection.line(18));
    if (!line.length) {
      this.selected = -1;
      return;
    }
    const text = utf8Lenient.decode(line);
    const number = /^(?:0|[1-9][0-9]{0,14})\n$/.test(text) ? Number(text) : -1;
    if (number <= this.selected || number < this.first) this.badSelection("bad_selection");
    else this.selected = number;
  }

  async isSelected(index, matches) {
    if (this.selected !== index) return false;
    if (!matches) this.badSelection("not_selectable", { index });
    else await this.nextSelected();
    return matches;
  }

  checkSelected(index, values) {
    for (const { key, field, wanted } of this.filter.personal) {
      if (!fits(key, wanted, values.get(field) ?? "")) {
        this.verifier.note(new Fault("selection.txt", "not_fitting", { index, key }, inRow(this.rows)));
      }
    }
  }

  badSelection(code, params = {}) {
    this.disclosuresReadable = this.viewReadable = false;
    this.selected = -1;
    this.verifier.note(new Fault("selection.txt", code, params, inLine(this.selectionLine)));
  }

  async expectRow(expected) {
    const length = encodedRow(expected);
    const taken = this.view.takeNow(length) ?? (await this.view.take(length));
    if (!beginsWith(taken, ROW.bytes, length)) {
      this.viewReadable = false;
      this.verifier.note(new Fault("view.csv", "other_row", {}, inRow(this.rows + 1)));
    }
  }

  async ends() {
    const { verifier } = this;
    if ((await this.leaves.line(1)).length) verifier.note(new Fault("leaves.txt", "more_leaves"));
    if (this.disclosuresReadable && this.pending) this.badDisclosure("stray_disclosure");
    if (this.selected !== -1) this.badSelection("bad_selection");
    if (this.viewReadable && (await this.view.take(1)).length) {
      verifier.note(new Fault("view.csv", "more_rows", {}, inRow(this.rows + 2)));
    }
  }

  async sample(heading) {
    const stream = this.streams.get("sample.csv");
    if (!stream || !this.draw || !this.viewReadable) return;
    const rows = [heading, ...this.draw.rows()];
    for (const [i, row] of rows.entries()) {
      const length = encodedRow(row);
      if (!beginsWith(await stream.take(length), ROW.bytes, length)) {
        throw new Fault("sample.csv", "other_sample", {}, inRow(i + 1));
      }
    }
    if ((await stream.take(1)).length) throw new Fault("sample.csv", "more_sample", {}, inRow(rows.length + 1));
  }
}

const LEAF = new Uint8Array(MAX_ENTRY_BYTES + 2);

/** SHA-256(0x00 ‖ entry), without a copy of its own for each entry. */
function entryLeaf(entry) {
  LEAF.set(entry, 1);
  return sha256(LEAF, 0, entry.length + 1);
}

/** Whether a line of leaves.txt is the first 16 hex digits of the leaf. */
function beginsLeaf(line, leaf) {
  if (line.length !== 17 || line[16] !== 10) return false;
  for (let i = 0; i < 8; i++) {
    const digits = HEX_PAIRS[leaf[i]];
    if (line[2 * i] !== digits.charCodeAt(0) || line[2 * i + 1] !== digits.charCodeAt(1)) return false;
  }
  return true;
}

/** b64url(SHA-256(ASCII(b64url(`encoded`)))): how an entry names the field [salt, name, value] (RFC 9901 §4.2). */
function digestOf(encoded) {
  const { written } = utf8Encoder.encodeInto(encoded, ENCODED);
  const digest = sha256(BASE64URL, 0, base64urlInto(ENCODED, 0, written, BASE64URL));
  return String.fromCharCode.apply(null, BASE64URL.subarray(0, base64urlInto(digest, 0, 32, BASE64URL)));
}

/** Encode a row into ROW.bytes; returns its length. */
function encodedRow(row) {
  if (3 * row.length > ROW.bytes.length) ROW.bytes = new Uint8Array(3 * row.length);
  return utf8Encoder.encodeInto(row, ROW.bytes).written;
}

function beginsWith(taken, expected, length) {
  if (taken.length !== length) return false;
  for (let i = 0; i < length; i++) if (taken[i] !== expected[i]) return false;
  return true;
}

/** Whether one text comes before another in code point order, as UTF-8 bytes do. */
function isBefore(a, b) {
  const [left, right] = [encodeUtf8(a), encodeUtf8(b)];
  for (let i = 0; i < left.length && i < right.length; i++) if (left[i] !== right[i]) return left[i] < right[i];
  return left.length < right.length;
}
