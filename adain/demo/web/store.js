// The state of the page: what is chosen, kept in this tab and browser, and in the address.
//
// A picture is {kind: "here", name} for one that the server offers, or {kind: "own", id, title} for
// one of the visitor's, whose bytes are in `blobs.js`. Strengths and shares are in per cent.
const KEY = "adain-page";
// What is said in the address, so that a link shows the same to somebody else.
const LINKED = ["tab", "photo", "style", "wells", "strength", "model", "brush", "smooth", "colours"];
// What a result is made from.
export const LOOK = [...LINKED, "brushes", "painted"];
const SOON = 200; // milliseconds: a drag of a slider is kept once

let state = {};
let defaults = {};
const watchers = [];

export const get = () => state;

// Change some of it; who watches these names is told, at once and in the order of watching.
export function set(changes) {
  const changed = Object.keys(changes).filter((name) => !same(changes[name], state[name]));
  if (!changed.length) return;
  const moved = changed.includes("tab");
  if (moved && later) write("replaceState", true); // what the last tab was left with
  state = { ...state, ...changes };
  keeping ??= setTimeout(keep, SOON);
  if (moved) write("pushState");
  else if (changed.some((name) => LINKED.includes(name))) write("replaceState");
  tell(changed);
}

let keeping = null;

function keep() {
  clearTimeout(keeping);
  keeping = null;
  try {
    const text = JSON.stringify(state);
    sessionStorage.setItem(KEY, text); // what this tab shows, whatever others do
    localStorage.setItem(KEY, text);
  } catch {
    // A browser that keeps nothing, or has no room: the page works until it is closed.
  }
}

// Browsers refuse more than 100 changes of the address in 30 seconds, and a drag of a slider has more.
const MOST = 80;
const WITHIN = 30_000; // milliseconds
let written = []; // when
let later = 0;

function write(how, now = how === "pushState") {
  clearTimeout(later);
  later = 0;
  written = written.filter((time) => time > performance.now() - WITHIN);
  if (!now && written.length >= MOST) {
    later = setTimeout(write, 500, how);
    return;
  }
  written.push(performance.now());
  try {
    history[how](null, "", `#${linked()}`);
  } catch {
    // Too often all the same: the page goes on without.
  }
}

export function watch(names, act) {
  watchers.push({ names, act });
}

function tell(changed) {
  for (const { names, act } of watchers) {
    if (names.some((name) => changed.includes(name))) act(state);
  }
}

export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

// What was kept, and over it what the address says. `offered`: {photos, styles, models, tabs}: lists
// of the names that there are; what names anything else is left out.
export function restore(initial, offered) {
  defaults = initial;
  let kept = {};
  try {
    kept = JSON.parse(sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY)) || {};
  } catch {
    // none, or not ours
  }
  state = { ...initial, ...checked(kept, offered), ...checked(parsed(location.hash), offered) };
  window.addEventListener("pagehide", () => keeping && keep());
  window.addEventListener("popstate", () => {
    clearTimeout(later);
    later = 0;
    const before = state;
    state = { ...state, tab: defaults.tab, ...checked(parsed(location.hash), offered) };
    tell(Object.keys(state).filter((name) => !same(state[name], before[name])));
  });
  return state;
}

function checked(found, { photos, styles, models, tabs }) {
  const picture = (names) => (value) =>
    value?.kind === "own"
      ? typeof value.id === "string" && typeof value.title === "string"
      : names.includes(value?.name);
  const number = (low, high) => (value) => Number.isFinite(value) && value >= low && value <= high;
  const tests = {
    tab: (value) => tabs.includes(value),
    photo: picture(photos),
    style: picture(styles),
    wells: (wells) =>
      Array.isArray(wells) &&
      wells.length >= 1 &&
      wells.length <= 4 &&
      wells.every((well) => picture(styles)(well?.style) && number(0, 100)(well.share)),
    own: (list) => Array.isArray(list) && list.every(picture([])),
    recent: (list) => Array.isArray(list),
    hand: (value) => [0, 1, 2, 3].includes(value),
    painted: (value) =>
      value === null ||
      (picture(photos)(value?.photo) && /^data:image\/png;base64,/.test(value.map)),
    brushes: (list) => Array.isArray(list) && list.length === 3 && list.every(picture(styles)),
    strength: number(0, 100),
    brush: number(25, 200),
    smooth: number(0, 100),
    model: (value) => models.includes(value),
    colours: (value) => typeof value === "boolean",
    steady: number(0, 100),
    side: (value) => ["", "480", "640", "1280"].includes(value),
    // A job of the server's: {id, title}.
    video: (value) => value === null || (/^[\w-]+$/.test(value?.id) && typeof value.title === "string"),
    pace: (value) => value && typeof value === "object",
  };
  const passed = (of) => Object.entries(of).filter(([name, value]) => tests[name]?.(value));
  const state = Object.fromEntries(passed(found));
  // Of the last results those that can still be returned to.
  const whole = (entry) =>
    /^data:image\//.test(entry?.thumbnail) &&
    LOOK.every((name) => tests[name](entry[name]));
  // Those of before there was a choice have its default.
  const known = (entry) => ({ smooth: 0, ...entry });
  if (state.recent) state.recent = state.recent.map(known).filter(whole);
  return state;
}

// The pictures that a state names, those of its last results included.
export function usedPictures({ photo, style, wells, brushes, own = [], recent = [] }) {
  const mixed = wells.map((well) => well.style);
  return [photo, style, ...brushes, ...own, ...mixed, ...recent.flatMap((one) => usedPictures(one))];
}

export const here = (name) => ({ kind: "here", name });

// The address

// Whole, whatever it was before: who opens a link, or comes back by it, sees just this. An own picture
// cannot be in it; a mixture with one is only in a link that is `sent`, for its other styles.
export function linked(from = state, { sent = false } = {}) {
  const parts = new URLSearchParams();
  for (const name of LINKED) {
    const value = from[name];
    if (name === "wells" && from.tab !== "mix") continue;
    if (name === "wells") {
      const shared = value.filter(({ style }) => style.kind === "here");
      if (shared.length && (sent || shared.length === value.length)) {
        parts.set("mix", shared.map((w) => `${w.style.name}:${w.share}`).join(","));
      }
    } else if (name === "photo" || name === "style") {
      if (value.kind === "here") parts.set(name, value.name);
    } else parts.set(name, value);
  }
  return parts.toString();
}

function parsed(hash) {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const found = {};
  for (const name of ["photo", "style"]) {
    if (parts.has(name)) found[name] = here(parts.get(name));
  }
  for (const name of ["strength", "brush", "smooth"]) {
    if (parts.get(name)) found[name] = Math.round(Number(parts.get(name)));
  }
  for (const name of ["tab", "model"]) if (parts.has(name)) found[name] = parts.get(name);
  // A link of before there was a choice means its default.
  if (parts.has("brush")) found.smooth ??= 0;
  if (parts.has("colours")) found.colours = parts.get("colours") === "true";
  if (parts.has("mix")) {
    found.wells = parts.get("mix").split(",").map((well) => {
      const [name, share] = well.split(":");
      return { style: here(name), share: Number(share) };
    });
  }
  return found;
}
