// Tabs as the ARIA practices have them: one Tab stop, arrow keys between them. Some show parts of the
// workbench (`data-shown`), others a panel of Gradio's.
import { get, set, watch } from "./store.js";

export function startTabs({ root, find, config }) {
  const list = find('[role="tablist"]');
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const nameOf = (tab) => tab.id.replace("tab-", "");

  function show() {
    const { tab: current } = get();
    root.dataset.tab = current;
    root.dataset.ready = "";
    document.body.dataset.tab = current;
    for (const tab of tabs) {
      const selected = nameOf(tab) === current;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
      if (selected) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    const workbench = find("#panel-studio");
    workbench.hidden = config.panels.includes(current);
    if (!workbench.hidden) workbench.setAttribute("aria-labelledby", `tab-${current}`);
    for (const part of root.querySelectorAll("[data-shown]")) {
      part.toggleAttribute("inert", !part.dataset.shown.split(" ").includes(current));
    }
    for (const name of config.panels) {
      const panel = document.getElementById(`panel-${name}`);
      panel?.setAttribute("role", "tabpanel");
      panel?.setAttribute("aria-labelledby", `tab-${name}`);
    }
  }

  for (const tab of tabs) tab.addEventListener("click", () => set({ tab: nameOf(tab) }));
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(event.target);
    const steps = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 };
    // With Alt they are the browser's: Back and Forward.
    if (at < 0 || !(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const to = tabs[(steps[event.key] + tabs.length) % tabs.length];
    to.focus();
    to.click();
  });
  watch(["tab"], show);
  show();
}
