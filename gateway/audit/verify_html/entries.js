// Entries: the shape of each type, the rows of the view, the filter, the sample, ranges of erased leaves.

const ENVELOPE = ["v", "type", "at", "owner", "site", "personal"];
// The other fields of each type, all of them and no more.
const PLAIN = new Map(
  Object.entries({
    acceptance: "rules identified_by",
    rules_published: "version adopting_body adopted_on case_number binding_language texts",
    rules_asked_again: "version",
    rules_proposed: "change version sha256",
    rules_withdrawn: "version",
    policy_published: "generation before_sha256 after_sha256",
    grant_moved: "grant from_group to_group",
    grant_revoked: "grant",
    grant_extended: "grant until",
    grant_ended: "grant cause",
    export: "first last size",
    staff_change: "change role",
    staff_login: "method result",
    exemption_changed: "change group categories until",
    exemption_decided: "request grant decision group categories",
    device_admitted: "device group until",
    device_blocked: "change until",
    network_switched: "network mode until",
    course_changed: "change course group since until devices",
    setting_changed: "setting",
    host_answered: "answer asked grant",
    erased: "leaves ground",
    retention_run: "before erased",
    subject_access: "leaves ground",
    key_rotated: "old_vkey new_vkey note",
    restored: "size root known_size known_root",
  }).map(([type, fields]) => [type, fields.split(" ")]),
);
// Fields that an entry of a type may have besides: non-empty text where they stand.
const OPTIONAL_FIELDS = new Map([
  ["rules_published", ["group", "in_force_from"]],
  ["rules_proposed", ["group"]],
]);
const IDENTIFIED_BY = [
  "self_declared", "course_code", "host_approved", "oidc", "known_device", "device_words", "receipt_code",
];
const AT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const HASHES = ["text_sha256", "html_sha256"];
const PERSONAL_COLUMNS = ["name", "organisation", "contact", "course_code", "mac", "address", "receipt"];
const PLAIN_FILTER = ["from", "to", "site", "version"];
const PERSONAL_FILTER = new Map([
  ["course", "course_code"],
  ["device", "mac"],
  ["name", "name"],
]);
const HEADINGS = {
  nb:
    "Nummer i loggen;Tidspunkt (UTC);Sted;Reglenes versjon;Språk;Tekstens SHA-256;Identifisert ved;Navn;" +
    "Organisasjon;Kontakt;Kurskode;Enhetens adresse (MAC);IP-adresse;Kvittering",
  nn:
    "Nummer i loggen;Tidspunkt (UTC);Stad;Versjon av reglane;Språk;SHA-256 av teksten;Identifisert ved;Namn;" +
    "Organisasjon;Kontakt;Kurskode;Adressa til eininga (MAC);IP-adresse;Kvittering",
  en:
    "Log index;Time (UTC);Site;Rules version;Language;SHA-256 of the text;Identified by;Name;" +
    "Organisation;Contact;Course code;Device address (MAC);IP address;Receipt",
};

// Nearly every line is one of these two in its plainest spelling, which can be read without parsing JSON. What a pattern
// does not match goes the long way, with the same outcome.
const TEXT = String.raw`[^"\\\x00-\x1f]`;
const PLAIN_ACCEPTANCE = new RegExp(
  String.raw`^\{"at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)",` +
    String.raw`"identified_by":"(self_declared|course_code|host_approved|oidc|` +
    String.raw`known_device|device_words|receipt_code)",` +
    String.raw`"owner":"${TEXT}+","personal":\[((?:"[\w-]{43}"(?:,"[\w-]{43}")*)?)\],` +
    String.raw`"rules":\{"html_sha256":"([0-9a-f]{64})","language":"(${TEXT}+)",` +
    String.raw`"text_sha256":"([0-9a-f]{64})","version":"(${TEXT}+)"\},` +
    String.raw`"site":"(${TEXT}+)","type":"acceptance","v":1\}\n$`,
);
const PLAIN_DISCLOSURE = new RegExp(
  String.raw`^\{"index":(0|[1-9]\d{0,14}),"name":"(${TEXT}*)","salt":"(${TEXT}*)","value":"(${TEXT}*)"\}\n$`,
);

/** The fields of an entry whose shape is that of its type. Throws Fault. */
function parseEntry(bytes, where, part = "entries.jsonl") {
  const found = parseCanonical(bytes);
  if (!isObject(found)) throw new Fault(part, "not_an_entry", {}, where);
  const [code, params] = misshapen(found) ?? [];
  if (code) throw new Fault(part, code, params, where);
  return found;
}

/** What is wrong with the shape of an entry: [code, params], or null. */
function misshapen(found) {
  if (found.v !== 1 || !holdTexts(found, ["type", "at", "owner", "site"])) return ["no_envelope"];
  if (!AT.test(found.at)) return ["bad_time"];
  const { personal, type } = found;
  const isDigest = (item) => typeof item === "string" && /^[\w-]{43}$/.test(item);
  if (!Array.isArray(personal) || !personal.every(isDigest)) return ["not_digests"];
  if (!isAscending(personal)) return ["unsorted_digests"];
  const optional = OPTIONAL_FIELDS.get(type) ?? [];
  if (PLAIN.has(type)) {
    const expected = [...ENVELOPE, ...PLAIN.get(type)];
    const odd = [
      ...expected.filter((name) => !Object.hasOwn(found, name)),
      ...Object.keys(found).filter((name) => !expected.includes(name) && !optional.includes(name)),
    ];
    if (odd.length) return ["other_fields", { kind: type, odd: odd.sort().join(", ") }];
  }
  if (!holdTexts(found, optional.filter((name) => Object.hasOwn(found, name)))) return ["bad_group"];
  if (type === "acceptance") {
    const keys = ["version", "language", ...HASHES];
    if (isObject(found.rules) && Object.hasOwn(found.rules, "group")) keys.push("group"); // whose rules they are
    if (!isObject(found.rules) || !hasExactly(found.rules, keys) || !holdTexts(found.rules, keys)) return ["bad_rules"];
    if (!IDENTIFIED_BY.includes(found.identified_by)) return ["bad_identification"];
  }
  if (type === "rules_published") {
    if (!AT.test(found.in_force_from ?? found.at)) return ["bad_in_force_from"];
    const isText = (item) => isObject(item) && hasExactly(item, HASHES) && holdTexts(item, HASHES);
    if (!isObject(found.texts) || !Object.values(found.texts).every(isText)) return ["bad_texts"];
  }
  const isHash = (text) => /^[0-9a-f]{64}$/.test(text);
  if (!hashed(found).every((item) => HASHES.every((name) => isHash(item[name])))) return ["bad_hashes"];
  if (type === "erased" && typeof found.leaves !== "string") return ["bad_leaves"];
  if (type === "key_rotated" && typeof found.note !== "string") return ["no_note"];
  const isSize = (value) => typeof value === "number" && value >= 0;
  if (type === "restored" && !(isSize(found.size) && isSize(found.known_size))) return ["bad_sizes"];
  return null;
}

const holdTexts = (object, names) => names.every((name) => typeof object[name] === "string" && object[name] !== "");

function isAscending(list) {
  for (let i = 1; i < list.length; i++) if (list[i - 1] >= list[i]) return false;
  return true;
}

function hashed(document) {
  if (document.type === "acceptance") return [document.rules];
  return document.type === "rules_published" ? Object.values(document.texts) : [];
}

const namedTexts = (document) =>
  hashed(document).flatMap((item) => [`terms/${item.text_sha256}.md`, `terms/${item.html_sha256}.html`]);

const csvRow = (cells) => `"${cells.map(csvCell).join('";"')}"\r\n`;

/** A spreadsheet would run a cell that starts like a formula; the apostrophe makes it text. */
function csvCell(text) {
  const guarded = text !== "" && "=+-@\t\r\0".includes(text[0]) ? `'${text}` : text;
  return guarded.includes('"') ? guarded.replaceAll('"', '""') : guarded;
}

/** The manifest's filter: which acceptances are rows, and what the shown values of a row must match. */
class Filter {
  constructor(chosen, fields) {
    this.chosen = chosen;
    this.personal = [...PERSONAL_FILTER]
      .filter(([key, field]) => Object.hasOwn(chosen, key) && fields.includes(field))
      .map(([key, field]) => ({ key, field, wanted: chosen[key] }));
  }

  plain(acceptance) {
    const { from, to, site, version } = this.chosen;
    return (
      (from === undefined || acceptance.at >= from) &&
      (to === undefined || acceptance.at < to) &&
      (site === undefined || acceptance.site === site) &&
      (version === undefined || acceptance.version === version)
    );
  }
}

/** Whether a disclosed value fits a personal filter; case is ignored by folding to lower or to upper case. */
function fits(key, wanted, value) {
  const digits = (text) => text.toLowerCase().replaceAll(":", "");
  if (key === "device") return digits(wanted) !== "" && digits(value).endsWith(digits(wanted));
  const pairs = [
    [wanted.toLowerCase(), value.toLowerCase()],
    [wanted.toUpperCase(), value.toUpperCase()],
  ];
  return value !== "" && pairs.some(([given, found]) => (key === "course" ? given === found : found.includes(given)));
}

/** The sample: of all rows offered, the `count` with the smallest SHA-256(seed ‖ index). */
class Draw {
  constructor(root, count, number) {
    this.count = count;
    this.number = number;
    this.seed = sha256(concat(encodeUtf8("gjestenett sample v1\n"), root, encodeUtf8(number)));
    this.held = [];
    this.limit = null;
  }

  offer(index, row) {
    const value = hex(sha256(concat(this.seed, encodeUtf8(String(index)))));
    if (this.limit !== null && value > this.limit) return;
    this.held.push({ value, index, row });
    if (this.held.length >= 2 * this.count + 1024) this.cut();
  }

  cut() {
    this.held.sort((a, b) => (a.value < b.value ? -1 : 1));
    this.held.length = Math.min(this.held.length, this.count);
    if (this.held.length === this.count) this.limit = this.held.at(-1).value;
  }

  rows() {
    this.cut();
    return this.held.sort((a, b) => a.index - b.index).map(({ row }) => row);
  }
}

/** A union of ranges of leaves, in memory bounded by its gaps. */
class Ranges {
  constructor() {
    this.held = [];
    this.limit = 1 << 16;
  }

  add(first, last) {
    this.held.push([first, last]);
    if (this.held.length > this.limit) {
      this.merge();
      this.limit = Math.max(1 << 16, 2 * this.held.length);
    }
  }

  merge() {
    const merged = [];
    for (const [first, last] of this.held.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
      const before = merged.at(-1);
      if (before && first <= before[1] + 1) before[1] = Math.max(last, before[1]);
      else merged.push([first, last]);
    }
    this.held = merged;
  }

  /** How many numbers of [first, last) are in the union. */
  count(first, last) {
    this.merge();
    return this.held.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b + 1, last) - Math.max(a, first)), 0);
  }
}

const someOf = (numbers) => numbers.slice(0, 20).join(", ") + (numbers.length > 20 ? " …" : "");

/** Leaf numbers written `3-5,9`, as [first, last] pairs. Throws Fault. */
function* leafRanges(text, where) {
  const decimalText = /^(?:0|[1-9][0-9]{0,14})$/;
  for (const item of text ? text.split(",") : []) {
    const dash = item.indexOf("-");
    const first = dash < 0 ? item : item.slice(0, dash);
    const last = dash < 0 ? item : item.slice(dash + 1);
    if (!decimalText.test(first) || !decimalText.test(last)) throw new Fault("entries.jsonl", "bad_leaves", {}, where);
    yield [Number(first), Number(last)];
  }
}
