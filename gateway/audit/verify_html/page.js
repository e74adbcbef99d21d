// The page: takes files, has them verified in a worker (or here, where workers are forbidden), shows the verdict.

const LANGUAGES = ["nb", "nn", "en"];
const WORKER_SOURCE = typeof document === "undefined" ? "" : document.currentScript.textContent;

// What says that another file was given, and the field to look at.
const MIXED_UP = {
  note_for_bundle: "bundle",
  swapped: "bundle",
  bundle_for_note: "sidecar",
  other_for_checkpoint: "checkpoint",
};

let language = "nb";

/** The words of `code` in `language`, with {params} put in; a param that is a list is itself a code, with params. */
function say(code, params = {}, tongue = language) {
  return WORDS[tongue][code].replace(/\{(\w+)\}/g, (_, name) => {
    const value = params[name];
    return Array.isArray(value) ? say(value[0], value[1], tongue) : String(value);
  });
}

function sayWhere(where, tongue = language) {
  if (!where) return "";
  return where[0] === "raw" ? where[1] : say(where[0], where.slice(1), tongue);
}

/** A report as verify_bundle.py --json prints it, in any language; { wrong_use: why } where there is no verdict. */
function inWords(report, tongue) {
  const called = (part) => (part === EARLIER ? say("earlier", {}, tongue) : part);
  if (report.wrongUse) {
    const { part, where, code, params } = report.wrongUse;
    const place = [called(part), sayWhere(where, tongue)].filter(Boolean).join(", ");
    return { wrong_use: `${place}: ${say(code, params, tongue)}` };
  }
  const lines = (list) => list.map(([code, params]) => say(code, params, tongue));
  const problems = report.problems.map(({ part, where, code, params }) => ({
    part: called(part),
    where: sayWhere(where, tongue),
    message: say(code, params, tongue),
  }));
  return { ok: report.ok, problems, proved: lines(report.proved), unchecked: lines(report.unchecked) };
}

/** Day and time of this machine, as the console writes them. */
function sayMoment(when) {
  const [hour, minute] = [when.getHours(), when.getMinutes()].map((number) => String(number).padStart(2, "0"));
  const month = say("months").split(" ")[when.getMonth()];
  return say("moment", { day: when.getDate(), month, year: when.getFullYear(), hour, minute });
}

/** Without control characters and such: much of the text was written by strangers. */
const printable = (text) =>
  text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0).toString(16)}}`);

class Page {
  constructor() {
    this.shown = null; // the order and report of the last verdict
    this.worker = null;
    for (const button of document.querySelectorAll("[data-language]")) {
      button.addEventListener("click", () => this.speak(button.dataset.language));
    }
    for (const radio of document.querySelectorAll("[name=kind]")) radio.addEventListener("change", () => this.arrange());
    at("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.check();
    });
    at("cancel").addEventListener("click", () => this.stop("cancelled"));
    at("print").addEventListener("click", () => window.print());
    const wished = navigator.languages.map((tag) => tag.toLowerCase().split("-")[0].replace(/^no$/, "nb"));
    this.speak(wished.find((tag) => LANGUAGES.includes(tag)) ?? "en");
    this.arrange();
    at("page").hidden = false;
    this.ready = canVerify().then((can) => {
      at("unsupported").hidden = can;
      at("check").disabled = !can;
    });
  }

  get kind() {
    return document.querySelector("[name=kind]:checked").value;
  }

  speak(tongue) {
    language = tongue;
    document.documentElement.lang = tongue;
    document.title = say("title");
    for (const element of document.querySelectorAll("[data-words]")) element.textContent = say(element.dataset.words);
    for (const element of document.querySelectorAll("[data-label]")) {
      element.setAttribute("aria-label", say(element.dataset.label));
    }
    for (const button of document.querySelectorAll("[data-language]")) {
      button.setAttribute("aria-pressed", String(button.dataset.language === tongue));
    }
    at("status").textContent = "";
    this.complain([]);
    if (this.shown) this.show(this.shown.order, this.shown.report);
  }

  /** Show the fields of the chosen kind. */
  arrange() {
    for (const field of document.querySelectorAll("[data-only]")) field.hidden = field.dataset.only !== this.kind;
    this.complain([]);
  }

  /** Say what is missing: [id of the field, text] pairs. A notice asks for more, or for another file, and finds nothing wrong. */
  complain(faults, look = "problem") {
    for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
    const list = document.createElement("ul");
    for (const [id, text] of faults) {
      if (look === "problem") at(id).setAttribute("aria-invalid", "true");
      const link = element("a", text);
      link.href = `#${id}`;
      link.addEventListener("click", (event) => {
        event.preventDefault();
        at(id).focus();
      });
      const item = document.createElement("li");
      item.append(link);
      list.append(item);
    }
    at("faults").className = look;
    at("faults").replaceChildren(...(look === "notice" ? [element("p", say("nothing_checked"))] : []), list);
    at("faults").hidden = !faults.length;
    if (faults.length) at("faults").focus();
  }

  /** The order that the fields make, or null after complaining. */
  async order() {
    const kind = this.kind;
    const chosen = (id) => at(id).files[0] ?? null;
    const bytes = async (id) => (chosen(id) ? new Uint8Array(await chosen(id).arrayBuffer()) : null);
    const file = chosen(kind);
    const keys = chosen("key") ? await chosen("key").text() : at("pasted").value;
    const unsigned = at("unsigned").checked;
    const faults = [];
    if (!file) faults.push([kind, say("need_file")]);
    // who chose the signature as the bundle is told that, and not to choose it
    const isNote = file && (await hasHeader(file, SIDECAR_HEADER));
    if (kind === "bundle" && !unsigned && !chosen("sidecar") && !isNote) faults.push(["sidecar", say("need_sidecar")]);
    if (!keys.trim()) faults.push(["key", say("need_key")]);
    this.complain(faults);
    if (faults.length) return null;
    return {
      kind,
      file,
      name: file.name,
      keys,
      checkpoint: await bytes("checkpoint"),
      checkpointName: chosen("checkpoint")?.name ?? null,
      sidecar: kind === "bundle" && !unsigned ? await bytes("sidecar") : null,
      requireSidecar: !unsigned,
      entry: kind === "receipt" ? await bytes("entry") : null,
    };
  }

  async check() {
    this.stop();
    at("verdict").hidden = true;
    this.shown = null;
    try {
      const order = await this.order();
      if (!order) return;
      at("progress").hidden = false;
      at("check").disabled = true;
      this.progress(0);
      this.outcome(order, await this.run(order));
    } catch (error) {
      this.stop();
      this.complain([[this.kind, say("file_unreadable", { why: printable(String(error)) })]]);
    }
  }

  /** Verify in a worker, so that the page stays alive; here when the browser allows none. */
  run(order) {
    const here = () => verify(order, (share) => this.progress(share));
    return new Promise((resolve, reject) => {
      let address = null;
      try {
        address = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: "text/javascript" }));
        this.worker = new Worker(address);
      } catch {
        here().then(resolve, reject);
        return;
      }
      this.worker.onerror = () => {
        this.worker?.terminate();
        this.worker = null;
        here().then(resolve, reject);
      };
      this.worker.onmessage = ({ data }) => {
        if ("share" in data) this.progress(data.share);
        else if ("failed" in data) reject(data.failed);
        else resolve(data.report);
      };
      this.worker.postMessage(order);
    });
  }

  progress(share) {
    at("bar").value = share;
    const text = say("checking", { percent: 10 * Math.floor(10 * share) });
    if (at("status").textContent !== text) at("status").textContent = text; // heard at each tenth, not at each step
  }

  stop(word = null) {
    this.worker?.terminate();
    this.worker = null;
    at("progress").hidden = true;
    at("check").disabled = false;
    at("status").textContent = word ? say(word) : "";
  }

  outcome(order, report) {
    this.stop();
    if (report.wrongUse) {
      const { where, code, params } = report.wrongUse;
      if (code === "no_entry") {
        this.complain([["entry", say("need_entry", params)]], "notice");
        return;
      }
      if (MIXED_UP[code]) {
        const field = MIXED_UP[code];
        this.complain([[field, printable(`${at(field).files[0].name}: ${say(code)}.`)]], "notice");
        return;
      }
      const why = [sayWhere(where), say(code, params)].filter(Boolean).join(": ");
      this.complain([["key", say("bad_key", { why: printable(why) })]]);
      return;
    }
    this.shown = { order: { ...order, at: new Date() }, report };
    this.show(this.shown.order, report);
    at("outcome").focus();
    at("verdict").scrollIntoView();
  }

  show(order, report) {
    const { ok, problems, proved, unchecked } = inWords(report, language);
    at("verdict").hidden = false;
    at("verdict").className = ok ? "ok" : "bad";
    at("outcome").textContent = say(`${ok ? "ok" : "not_ok"}_${order.kind}`);
    const wrong = problems.map(({ part, where, message }) => [part, `${where ? `, ${where}` : ""}: ${message}`]);
    at("lists").replaceChildren(
      ...listed("wrong", wrong),
      ...listed("proved", (proved.length ? proved : [say("nothing_proved")]).map((text) => ["", text])),
      ...listed("unchecked", unchecked.map((text) => ["", text])),
    );
    const keys = parseKeys(order.keys.trim(), "key").map(({ name, id }) => `${name}+${id}`);
    const rows = [
      ["checked_at", sayMoment(order.at)],
      ["checked_file", `${order.name} (${say("bytes", { count: order.file.size })})`],
      ["checked_key", keys.join(", ")],
      ["checked_earlier", order.checkpointName ?? say("none")],
      ["checked_with", `verify.html, gjestenett ${VERSION}; ${navigator.userAgent}`],
    ];
    at("record").replaceChildren(
      ...rows.flatMap(([word, text]) => [element("dt", say(word)), element("dd", printable(text))]),
    );
    at("keep").hidden = !ok || order.kind !== "bundle";
  }
}

const at = (id) => document.getElementById(id);

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

/** A heading and a list of [in bold, plain] texts; nothing when there are none. */
function listed(word, texts) {
  if (!texts.length) return [];
  const list = document.createElement("ul");
  for (const [bold, plain] of texts) {
    const item = document.createElement("li");
    if (bold) item.append(element("strong", printable(bold)));
    item.append(printable(plain));
    list.append(item);
  }
  return [element("h3", say(word)), list];
}

if (typeof document !== "undefined") {
  const page = new Page();
  // For tests, and for whoever wants to verify many bundles from the browser's console.
  window.gjestenett = { verify, inWords, canVerify, WORDS, page };
}
