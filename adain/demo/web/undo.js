// Undo and redo of the look, by the usual keys. Paint has its own, for strokes.
import { get, LOOK, same, set, watch } from "./store.js";

const MOST = 100;
const DRAGGED = ["strength", "brush", "smooth", "wells"];
const PAUSE = 600; // milliseconds: changes by a drag follow sooner, and are one step
// Going to another tab is undone by the browser's Back.
const UNDONE = LOOK.filter((name) => !["tab", "brushes", "painted"].includes(name));

const look = () => Object.fromEntries(UNDONE.map((name) => [name, get()[name]]));

export function startUndo() {
  const steps = { past: [], future: [] }; // of {tab, look}: where a change was made, and what was
  let now = look();
  let last = { time: 0, name: "" };

  watch(UNDONE, () => {
    const before = now;
    now = look();
    if (same(now, before)) return; // it was undone or redone
    const changed = UNDONE.filter((name) => !same(now[name], before[name]));
    const name = changed.length === 1 && DRAGGED.includes(changed[0]) ? changed[0] : "";
    const time = performance.now();
    const goesOn = name && name === last.name && time < last.time + PAUSE;
    last = { time, name };
    if (!goesOn) steps.past = [...steps.past, { tab: get().tab, look: before }].slice(-MOST);
    steps.future = [];
  });

  function go(from, to) {
    const step = steps[from].pop();
    if (!step) return;
    steps[to].push({ tab: step.tab, look: now });
    now = step.look;
    last.name = "";
    set({ tab: step.tab, ...step.look });
  }

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.defaultPrevented) return;
    // Where text is typed, keys undo the typing.
    if (get().tab === "paint" || event.target.closest?.("textarea, [type=number], [type=text]")) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && (key !== "y" || event.shiftKey)) return;
    event.preventDefault();
    if (key === "z" && !event.shiftKey) go("past", "future");
    else go("future", "past");
  });
}
