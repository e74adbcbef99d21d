// Tells parts of a page anew while something is under way, without loading the page again.
//
// An element with data-live-every="SECONDS" has the page fetched again after so many seconds. Of each element with
// data-live (and an id) what it holds is then replaced by what the same element holds now; those with
// data-live="at the end" only once nothing is under way any more. Without scripts the page has a link instead.
// data-live-from="PATH" beside data-live-every fetches those parts alone; each that was replaced then says "renewed".
// A page that nobody sees is fetched when somebody does again.

const LONGEST_S = 60;
let failures = 0;

function wait() {
  const part = document.querySelector("[data-live-every]");
  if (!part) return;
  const seconds = Number(part.dataset.liveEvery) || LONGEST_S;
  setTimeout(look, Math.min(seconds * 2 ** failures, LONGEST_S) * 1000);
}

async function look() {
  try {
    if (document.hidden) await new Promise((seen) => addEventListener("visibilitychange", seen, { once: true }));
    const from = document.querySelector("[data-live-every]").dataset.liveFrom || location.href;
    const answer = await fetch(from, { headers: { accept: "text/html" } });
    if (answer.redirected) return location.reload(); // as to the page of signing in
    if (!answer.ok && answer.status !== 404) throw new Error(String(answer.status));
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    failures = 0;
  } catch {
    failures += 1; // the service starts again, or the network is away: ask more and more seldom
  }
  wait();
}

function show(page) {
  const ended = !page.querySelector("[data-live-every]");
  for (const old of document.querySelectorAll("[data-live]")) {
    if (old.dataset.live === "at the end" && !ended) continue;
    const fresh = page.getElementById(old.id);
    if (!fresh) return location.reload(); // it is another page by now
    if (fresh.dataset.liveEvery) old.dataset.liveEvery = fresh.dataset.liveEvery;
    else delete old.dataset.liveEvery;
    if (old.innerHTML === fresh.innerHTML) continue; // nothing is read aloud that is not new
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const index = focused ? [...old.querySelectorAll(FOCUSABLE)].indexOf(focused) : -1;
    old.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
    if (index >= 0) old.querySelectorAll(FOCUSABLE)[index]?.focus();
    old.dispatchEvent(new Event("renewed", { bubbles: true }));
  }
  if (ended) document.title = page.title;
}

const FOCUSABLE = "a[href], button, input, select, summary";
wait();
