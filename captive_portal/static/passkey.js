// Asks the browser for a passkey (WebAuthn Level 3) and sends what it answers as an ordinary form.
//
// A form with data-origin is hidden until this has seen that the browser can, and that the page was opened there, where
// keys are bound to; what says that it can't (data-passkey-missing) then goes. What a form with data-passkey="create" or
// "get" asks stands in data-options, or is fetched from data-from at each press: a challenge is good once. What went
// wrong is said in the form's alert, in the words of its data-said-… attributes.

const able = typeof window.PublicKeyCredential?.parseRequestOptionsFromJSON === "function";
let asking = false;

for (const form of document.querySelectorAll("form[data-origin]")) {
  if (!able || form.dataset.origin !== location.origin) continue;
  form.hidden = false;
  document.querySelector("[data-passkey-missing]")?.remove();
  if (!form.dataset.passkey) continue;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!asking) ask(form);
  });
}

async function ask(form) {
  const said = form.querySelector("[role=alert]");
  asking = true;
  said.textContent = "";
  try {
    const credential = await answer(form.dataset.passkey, await options(form));
    form.elements.passkey.value = JSON.stringify(credential.toJSON());
    form.submit();
  } catch (error) {
    said.textContent = form.dataset[SAID[error.name] ?? "saidFailed"];
  }
  asking = false;
}

async function options(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const given = await fetch(form.dataset.from, { headers: { accept: "application/json" } });
  if (!given.ok) throw new Error(String(given.status));
  return given.json();
}

function answer(what, asked) {
  return what === "create"
    ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
    : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
}

const SAID = { NotAllowedError: "saidCancelled", AbortError: "saidCancelled", InvalidStateError: "saidKnown" };
