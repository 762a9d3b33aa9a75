// Sentences that go away by themselves, said by screen readers too (a live region).
const SECONDS = 6;
let place;
let timer;
let latest = 0;

export function setNotices(element) {
  place = element;
}

// `actions`: [[words, what a click does], ...]. One that `stays` is there until the next one, or until
// what is returned is called.
export function notice(sentence, { actions = [], error = false, stays = false } = {}) {
  clearTimeout(timer);
  const mine = ++latest;
  const text = document.createElement("span");
  text.textContent = sentence;
  const buttons = actions.map(([words, act]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words;
    button.addEventListener("click", () => {
      quiet();
      act();
    });
    return button;
  });
  place.replaceChildren(text, ...buttons);
  place.classList.toggle("error", error);
  place.classList.add("shown");
  if (!stays) timer = setTimeout(quiet, 1000 * SECONDS * (actions.length ? 1.5 : 1));
  return () => mine === latest && quiet();
}

export function quiet() {
  clearTimeout(timer);
  place.classList.remove("shown", "error");
  place.replaceChildren();
}

// An error as a sentence; what was given up on purpose is none.
// `again`: what to do where the server was not reached.
export function complain(error, again) {
  if (error.name === "AbortError") return;
  const actions = again && error.unreached ? [["Try again", again]] : [];
  notice(error.message, { error: true, actions });
}
