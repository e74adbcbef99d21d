// A guest's receipt (c2sp.org/tlog-proof): one entry's place in the log.

/** What a receipt proves, into `verifier`. `given` is the entry when the receipt does not hold it. Throws Fault, WrongUse. */
async function readReceipt(verifier, data, given) {
  const part = verifier.name;
  let cut = 0;
  while (cut < data.length && !(data[cut] === 10 && data[cut + 1] === 10)) cut++;
  const lines = utf8Lenient.decode(data.subarray(0, cut)).split("\n");
  if (cut >= data.length || lines.shift() !== RECEIPT_HEADER || data.length > MAX_RECEIPT_BYTES) {
    throw new Fault(part, "not_a_receipt");
  }
  const extra = lines[0]?.startsWith("extra ") ? base64(lines.shift().slice(6), part) : new Uint8Array(0);
  const number = lines.shift() ?? "";
  if (!number.startsWith("index ") || lines.length > 63) throw new Fault(part, "no_index");
  const index = decimal(number.slice(6), part);
  const proof = lines.map((line) => base64(line, part, 32));
  let checkpoint;
  try {
    checkpoint = await openCheckpoint(data.subarray(cut + 2), verifier.trusted, part);
  } catch (fault) {
    throw fault.problem?.code === "untrusted" ? new Fault(part, "untrusted_receipt") : fault;
  }
  let [entry, ...disclosures] = byLines(extra);
  if (given) {
    const own = given.at(-1) === 10 ? given.subarray(0, -1) : given;
    if (extra.length && !sameBytes(own, entry)) throw new Fault(part, "other_given_entry");
    entry = own;
  }
  if (!entry.length) throw new WrongUse(part, "no_entry", { index });
  if (!isIncluded(leafHash(entry), index, checkpoint, proof)) throw new Fault(part, "not_included", { index });
  const document = parseEntry(entry, inText(`entry ${index}`), part);
  const { type, at, site, personal } = document;
  const { proved, unchecked } = verifier;
  proved.push(["fact_head", { origin: checkpoint.origin, size: checkpoint.size }], ["fact_included", { index }]);
  if (type === "acceptance") {
    const { version, language, group, text_sha256: sha } = document.rules;
    proved.push([group ? "fact_accepted_group" : "fact_accepted", { version, language, group, at, site }]);
    unchecked.push(["gap_words", { sha }]);
  } else {
    proved.push(["fact_type", { type, at, site }]);
  }
  const shown = disclosures.filter((item) => item.length);
  for (const [i, item] of shown.entries()) {
    const found = parseCanonical(item);
    const place = ["field", i + 1];
    if (!Array.isArray(found) || found.length !== 3 || found.some((text) => typeof text !== "string")) {
      throw new Fault(part, "not_a_field", {}, place);
    }
    const [, name, value] = found;
    if (!personal.includes(digestOf(utf8Lenient.decode(item)))) throw new Fault(part, "other_field", { name }, place);
    proved.push(["fact_field", { name, value }]);
  }
  if (type === "acceptance" && !shown.length) unchecked.push(["gap_whose"]);
  if (personal.length > shown.length) unchecked.push(["gap_fields", { count: personal.length - shown.length }]);
  const old = verifier.earlier;
  if (old && old.origin === checkpoint.origin && old.size === checkpoint.size) {
    if (!sameBytes(old.root, checkpoint.root)) throw new Fault(EARLIER, "rewritten", { size: old.size, explained: "" });
  } else if (old) {
    unchecked.push(["gap_between"]);
  }
  unchecked.push(["gap_split"], ["gap_truth"]);
  verifier.problems.push(...verifier.found.values());
}

function byLines(bytes) {
  const lines = [];
  let start = 0;
  for (let end = 0; end <= bytes.length; end++) {
    if (end < bytes.length && bytes[end] !== 10) continue;
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}
