// The visitor's own pictures, kept in this browser (IndexedDB), or until the page is closed where
// the browser keeps nothing.
const memory = new Map();
const DAY = 24 * 60 * 60 * 1000; // milliseconds
let opened;

function database() {
  opened ??= new Promise((resolve) => {
    const request = indexedDB.open("adain-page", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("pictures");
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => resolve(null);
  }).catch(() => null);
  return opened;
}

async function run(mode, act) {
  const db = await database();
  if (!db) return undefined;
  return new Promise((resolve) => {
    const store = db.transaction("pictures", mode).objectStore("pictures");
    const request = act(store);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(undefined);
  }).catch(() => undefined);
}

export async function keep(blob) {
  const id = [Date.now(), ...crypto.getRandomValues(new Uint32Array(4))].join("-");
  memory.set(id, blob);
  await run("readwrite", (store) => store.put(blob, id));
  return id;
}

// Undefined where it is no longer kept.
export async function find(id) {
  if (!memory.has(id)) {
    const blob = await run("readonly", (store) => store.get(id));
    if (!blob) return undefined;
    memory.set(id, blob);
  }
  return memory.get(id);
}

// Forget all but these, and those of the last day: another tab of this browser may show them.
export async function keepOnly(ids) {
  const kept = (await run("readonly", (store) => store.getAllKeys())) || [];
  const old = (id) => Number(id.split("-")[0]) < Date.now() - DAY;
  for (const id of kept) if (!ids.has(id) && old(id)) await run("readwrite", (store) => store.delete(id));
}
