// One verification of a bundle or a receipt: what is known so far, and the order in which it is found out.
//
// The verdict is that of verify_bundle.py, in the same words; the format is docs/bundle-format.md.

const EARLIER = "earlier checkpoint";
const MAX_SAMPLE = 100000;
const MAX_RECEIPT_BYTES = 1 << 20;
const RECEIPT_HEADER = "c2sp.org/tlog-proof@v1";

class Verifier {
  constructor(trusted, name) {
    this.trusted = trusted;
    this.name = name;
    this.problems = [];
    this.proved = [];
    this.unchecked = [];
    this.earlier = null;
    this.place = name; // the file that is being read,
    this.index = null; // or the entry
    this.suspects = new Map(); // files whose bytes are not those that the manifest names
    this.found = new Map(); // the first problem of each file found by reading it
    this.rotations = new Set(); // the notes by which keys were changed
    this.followed = this.unfollowed = 0;
  }

  /** The report, after `work`. Whatever it throws is a problem, and never "verified"; an unreadable file is thrown on. */
  async judge(work) {
    try {
      await work();
    } catch (error) {
      if (error instanceof WrongUse) return { wrongUse: error.problem };
      if (error.name === "NotReadableError" || error.name === "NotFoundError") throw error;
      if (error instanceof Fault) {
        this.problems.push(error.problem);
        if (this.found.has(EARLIER)) this.problems.push(this.found.get(EARLIER));
      } else {
        const [part, where] = this.index === null ? [this.place, null] : ["entries.jsonl", this.walk.line(this.index)];
        this.problems.push(new Fault(part, "unforeseen", { error: String(error) }, where).problem);
      }
    }
    if (this.problems.length) this.proved = this.unchecked = []; // a broken bundle proves nothing, and all else is open
    const { problems, proved, unchecked } = this;
    return { ok: !problems.length, problems, proved, unchecked };
  }

  note(fault) {
    if (!(fault instanceof Fault)) throw fault;
    if (!this.found.has(fault.problem.part)) this.found.set(fault.problem.part, fault.problem);
  }

  /** Run `work`; a Fault is recorded and ends it alone. */
  async noting(work) {
    try {
      return await work();
    } catch (fault) {
      this.note(fault);
      return undefined;
    }
  }

  async earlierCheckpoint(checkpoint) {
    if (!checkpoint) return;
    await this.noting(async () => (this.earlier = await openCheckpoint(checkpoint, this.trusted, EARLIER)));
  }

  async bundle(blob, sidecar, requireSidecar, checkpoint, onRead) {
    const signedBy = `${this.name}.note`;
    await refuseMixedUp(blob, this.name, sidecar, signedBy);
    this.zip = new Zip(blob, this.name);
    this.zip.onRead = onRead;
    await this.zip.open();
    await this.followRotations();
    let stated = null;
    let unsigned = null;
    if (sidecar) {
      try {
        stated = await openSidecar(sidecar, this.trusted, signedBy);
      } catch (fault) {
        if (!(fault instanceof Fault)) throw fault;
        unsigned = fault.problem;
      }
    } else if (requireSidecar) {
      unsigned = new Fault(signedBy, "no_sidecar").problem;
    } else {
      this.unchecked.push(["gap_sidecar"]);
    }
    await this.earlierCheckpoint(checkpoint);
    const altered = stated && ((await this.zip.digest()) !== stated.zip || blob.size !== stated.size);
    try {
      await this.contents(stated);
    } finally {
      // Who signed can't be known where the file with the changes of key is the one that was altered.
      if (unsigned && !(unsigned.code === "untrusted" && this.suspects.has("rotations.txt"))) {
        this.problems.unshift(unsigned);
      }
    }
    if (altered && !this.problems.length) throw this.zip.fault("other_container");
  }

  /** Trust each key that a trusted key of the same log has signed as its successor. */
  async followRotations() {
    if (!this.zip.members.has("rotations.txt")) return;
    await this.noting(async () => {
      let number = 0;
      for (const note of rotationNotes(await this.small("rotations.txt"))) {
        this.rotations.add(utf8Lenient.decode(note));
        const key = await openRotation(note, this.trusted, ["note", ++number]);
        if (!key) {
          this.unfollowed++;
          continue;
        }
        this.followed++;
        if (!this.trusted.some((one) => sameKey(one, key))) this.trusted = [...this.trusted, key];
      }
    });
  }

  async contents(stated) {
    const raw = await this.small("manifest.json");
    if (stated && hex(sha256(raw)) !== stated.manifest) throw new Fault("manifest.json", "other_manifest");
    const manifest = parseManifest(raw);
    const { files } = manifest;
    const names = [...this.zip.members.keys()].filter((name) => name !== "manifest.json");
    const foreign = names.filter((name) => !Object.hasOwn(files, name));
    const missing = Object.keys(files).filter((name) => !names.includes(name));
    for (const odd of [...foreign, ...missing].sort()) {
      throw new Fault(odd, foreign.includes(odd) ? "not_in_manifest" : "missing_in_zip");
    }
    const streams = new Map(names.sort().map((name) => [name, this.zip.stream(name)]));
    for (const [name, stream] of streams) if (!LONG.includes(name)) await this.compare(name, stream, files[name]);
    if (stated && stated.origin !== manifest.origin) {
      this.note(new Fault("manifest.json", "other_log_sidecar", {}, inText("origin")));
    }
    const facts = await this.read(manifest, streams);
    // A changed file makes others disagree with it; where the manifest tells which changed, only those are named.
    const damaged = [...this.suspects].filter(([, problem]) => problem.code === "damaged");
    for (const [part, problem] of new Map([...this.suspects, ...this.found, ...damaged])) {
      if (!this.suspects.size || this.suspects.has(part) || part === EARLIER) this.problems.push(problem);
    }
    if (!this.problems.length && facts) {
      if (stated) facts.push(["fact_sidecar", { by: manifest.exporter, why: manifest.purpose }]);
      this.proved = facts;
    }
  }

  async compare(name, stream, stated) {
    const fault = await stream.finish(stated);
    if (fault) this.suspects.set(name, fault.problem);
  }

  /** Meaning. Returns what is proved if there is no problem; every long file has been compared then. */
  async read(manifest, streams) {
    let proof = null;
    let walk = null;
    const head = await this.noting(async () =>
      openCheckpoint(await this.small("checkpoint"), this.trusted, "checkpoint"),
    );
    if (head) proof = await this.frame(manifest, head);
    if (proof) {
      walk = this.walk = new Walk(this, streams, manifest, proof, head);
      await walk.run();
      this.index = null;
    }
    for (const name of LONG) if (streams.has(name)) await this.compare(name, streams.get(name), manifest.files[name]);
    if (!walk) return null;
    this.root(walk, proof, head);
    this.terms(manifest, walk);
    let consistency = null;
    if (Object.hasOwn(manifest.files, "consistency.txt")) {
      await this.noting(async () => {
        consistency = parseConsistency(await this.small("consistency.txt"));
        if (consistency.size !== head.size) throw new Fault("consistency.txt", "other_size");
      });
    }
    const grown = await this.noting(async () => this.appendOnly(head, walk, consistency));
    return this.facts(head, manifest, walk, grown);
  }

  /** What must fit before entries can be read: manifest, keys and proof. Returns the range proof, or null. */
  async frame(manifest, head) {
    for (const key of ["origin", "size"]) {
      if (manifest[key] !== head[key]) {
        this.note(new Fault("manifest.json", "other_checkpoint", { said: manifest[key], is: head[key] }, inText(key)));
      }
    }
    const personal = [...PERSONAL_FILTER.keys()].some((key) => Object.hasOwn(manifest.filter, key));
    for (const [name, wanted] of [
      ["selection.txt", personal],
      ["sample.csv", manifest.sample !== undefined],
    ]) {
      if (wanted !== Object.hasOwn(manifest.files, name)) {
        this.note(new Fault(name, wanted ? "ordered_but_missing" : "not_ordered"));
      }
    }
    await this.noting(async () => {
      const listed = parseKeys(utf8Lenient.decode(await this.small("keys.vkey")), "keys.vkey");
      if (!listed.some((key) => this.trusted.some((one) => sameKey(one, key)))) {
        throw new Fault("keys.vkey", "no_trusted_key");
      }
    });
    const proof = await this.noting(async () => {
      const read = parseRangeProof(await this.small("range-proof.txt"));
      if (read.first !== manifest.first || read.last !== manifest.last || read.size !== head.size) {
        throw new Fault("range-proof.txt", "other_range");
      }
      return read;
    });
    const frame = ["range-proof.txt", "manifest.json", "selection.txt", "sample.csv"];
    return frame.some((name) => this.found.has(name)) ? null : proof;
  }

  root(walk, proof, head) {
    const root = walk.complete ? finishTree(walk.edge, walk.last, proof.right, head.size) : null;
    if (root && sameBytes(root, head.root)) {
      if (walk.oddLeaf !== null) {
        this.note(new Fault("leaves.txt", "other_leaf", {}, inLine(walk.oddLeaf - walk.first + 1)));
      }
      return;
    }
    const { suspects } = this;
    const frameAltered = suspects.has("range-proof.txt") || suspects.has("checkpoint");
    if (walk.oddLeaf !== null && !(frameAltered && suspects.has("leaves.txt"))) {
      // What was found first comes after the cause.
      if (walk.badEntry !== null && walk.oddLeaf < walk.badEntry) this.found.delete("entries.jsonl");
      this.note(new Fault("entries.jsonl", "other_entry", {}, walk.line(walk.oddLeaf)));
      return;
    }
    this.note(new Fault("range-proof.txt", "other_root"));
  }

  terms(manifest, walk) {
    const { texts } = walk;
    const held = Object.keys(manifest.files).filter((name) => TERMS.test(name));
    for (const name of held.sort()) {
      if (manifest.files[name].sha256 !== name.slice(6, 70)) this.note(new Fault(name, "other_text"));
    }
    if (this.found.has("entries.jsonl")) return;
    const odd = [...held.filter((name) => !texts.has(name)), ...[...texts.keys()].filter((name) => !held.includes(name))];
    for (const name of odd.sort()) {
      if (texts.has(name)) this.note(new Fault(name, "text_missing", { index: texts.get(name) }));
      else this.note(new Fault(name, "text_unnamed"));
    }
    for (const [note, index] of walk.rotations) {
      if (!this.rotations.has(note)) this.note(new Fault("rotations.txt", "rotation_missing", { index }));
    }
  }

  appendOnly(head, walk, consistency) {
    const old = this.earlier;
    if (!old) return undefined;
    const explained = walk.explained(old.size);
    checkSameLog(old, head, explained);
    if (old.size === 0 || old.size === head.size || walk.oldRoot) {
      const root = old.size === head.size ? head.root : (walk.oldRoot ?? sha256(new Uint8Array(0)));
      if (!sameBytes(old.root, root)) throw new Fault(EARLIER, "rewritten", { size: old.size, explained });
    } else if (consistency?.old !== old.size) {
      throw new Fault("consistency.txt", "no_consistency", { size: old.size });
    } else if (!isConsistent(old.size, old.root, head.size, head.root, consistency.proof)) {
      throw new Fault("consistency.txt", "not_consistent", { size: old.size, explained });
    }
    return ["fact_grown", { size: old.size }];
  }

  facts(head, manifest, walk, grown) {
    const { first, last, filter } = manifest;
    const facts = [["fact_head", { origin: head.origin, size: head.size }]];
    const span = { first, last: last - 1, count: last - first };
    const whole = last - first === head.size;
    if (first === last) facts.push(["fact_empty"]);
    else facts.push([whole ? "fact_whole" : "fact_range", span]);
    facts.push(["fact_fields", { count: walk.disclosed }]);
    facts.push(["fact_texts", { count: walk.texts.size }]);
    for (const { version, language, text, count } of walk.accepted.values()) {
      facts.push([count === 1 ? "fact_rules_once" : "fact_rules", { version, language, text, count }]);
    }
    const begin = filter.from || ["the_beginning"];
    const end = filter.to || ["the_end"];
    facts.push([whole ? "fact_view" : "fact_view_of_range", { begin, end, rows: walk.rows }]);
    for (const key of Object.keys(filter).sort()) {
      if (key !== "from" && key !== "to") facts.push(["fact_filter", { key: [`key_${key}`], value: filter[key] }]);
    }
    if (walk.draw) {
      facts.push(["fact_sample", { count: walk.draw.held.length, number: walk.draw.number }]);
    }
    if (this.followed) facts.push([this.followed === 1 ? "fact_keys_once" : "fact_keys", { count: this.followed }]);
    const erased = walk.erased.count(first, last);
    if (erased) {
      const by = someOf(walk.erasing);
      let shown = 0;
      for (const [a, b] of walk.erased.held) {
        for (let i = Math.max(a, first); i <= b && i < last; i++) shown += walk.shows[i - first];
      }
      facts.push(["fact_erased", { count: erased, by, shown }]);
    }
    facts.push(...walk.lost());
    if (grown) facts.push(grown);
    this.gaps(head, manifest, walk);
    return facts;
  }

  /** What was left unchecked, and why. */
  gaps(head, manifest, walk) {
    const { unchecked } = this;
    const { filter } = manifest;
    if (!this.earlier) unchecked.push(["gap_earlier"]);
    if (walk.recorded > walk.disclosed) unchecked.push(["gap_hidden", { count: walk.recorded - walk.disclosed }]);
    for (const [key, field] of PERSONAL_FILTER) {
      if (!Object.hasOwn(filter, key)) continue;
      const params = { key: [`key_${key}`], value: filter[key] };
      unchecked.push(["gap_others", params]);
      if (!manifest.fields.includes(field)) unchecked.push(["gap_withheld", params]);
    }
    if (manifest.last - manifest.first < head.size) unchecked.push(["gap_range"], ["gap_period"]);
    if (walk.otherTypes.size) unchecked.push(["gap_types", { types: [...walk.otherTypes].sort().join(", ") }]);
    if (this.unfollowed) unchecked.push(["gap_keys", { count: this.unfollowed }]);
    for (const name of Object.keys(manifest.files).sort()) {
      if (OTHER_VIEW.test(name)) unchecked.push(["gap_view", { name }]);
    }
    unchecked.push(["gap_split"], ["gap_truth"]);
  }

  async small(name) {
    this.place = name;
    return this.zip.stream(name).whole();
  }
}

/** Throws Fault when the earlier checkpoint is of another log or of a longer one. */
function checkSameLog(old, head, explained) {
  if (old.origin !== head.origin) throw new Fault(EARLIER, "other_log", { old: old.origin, is: head.origin });
  if (old.size > head.size) throw new Fault(EARLIER, "shorter", { old: old.size, is: head.size, explained });
}

function parseManifest(raw) {
  const part = "manifest.json";
  const kinds = {
    v: "int", format: "text", origin: "text", size: "int", first: "int", last: "int", created_at: "text",
    exporter: "text", purpose: "text", filter: "object", fields: "list", language: "text", files: "object",
    sample: "object",
  };
  const found = parseCanonical(raw);
  const names = Object.keys(kinds).filter((name) => name !== "sample" || (isObject(found) && Object.hasOwn(found, name)));
  if (!isObject(found) || !hasExactly(found, names)) throw new Fault(part, "not_a_manifest");
  const isOf = {
    int: (value) => typeof value === "number",
    text: (value) => typeof value === "string",
    object: isObject,
    list: Array.isArray,
  };
  for (const key of Object.keys(found).sort()) {
    if (!isOf[kinds[key]](found[key])) throw new Fault(part, "wrong_type", {}, inText(key));
  }
  if (found.v !== 1 || found.format !== "gjestenett-bundle/v1") throw new Fault(part, "other_version", {}, inText("format"));
  const inOrder = 0 <= found.first && found.first <= found.last && found.last <= found.size;
  if (!inOrder || !Object.hasOwn(HEADINGS, found.language)) {
    throw new Fault(part, "bad_range", {}, inText("first, last, language"));
  }
  const known = [...PLAIN_FILTER, ...PERSONAL_FILTER.keys()];
  if (!Object.keys(found.filter).every((key) => known.includes(key))) {
    throw new Fault(part, "unknown_filter", {}, inText("filter"));
  }
  const words = [...Object.values(found.filter), ...found.fields];
  if (!words.every(isOf.text) || !isAscending(found.fields)) {
    throw new Fault(part, "unsorted_text", {}, inText("filter, fields"));
  }
  for (const key of PERSONAL_FILTER.keys()) {
    if (found.filter[key] === "") throw new Fault(part, "empty_filter", {}, inText("filter"));
  }
  const { sample } = found;
  if (sample !== undefined) {
    if (!hasExactly(sample, ["count", "number"]) || !isOf.int(sample.count) || !isOf.text(sample.number)) {
      throw new Fault(part, "not_a_sample", {}, inText("sample"));
    }
    if (sample.count < 1 || sample.count > MAX_SAMPLE) {
      throw new Fault(part, "bad_sample", { most: MAX_SAMPLE }, inText("sample"));
    }
  }
  for (const name of Object.keys(found.files).sort()) {
    const stated = found.files[name];
    if (!isObject(stated) || !hasExactly(stated, ["size", "sha256"]) || !isOf.int(stated.size) || !isOf.text(stated.sha256)) {
      throw new Fault(part, "no_size", {}, inText(`files: ${name}`));
    }
  }
  return found;
}
