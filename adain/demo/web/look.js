// How a picture is made: the strength, the model, the size of the brush, how calm, the colours.
import { slide } from "./sliders.js";
import { get, set, watch } from "./store.js";

export function startLook({ root, find, config }) {
  slide(find("#strength"), find("#strength-box"), "strength");
  slide(find("#strength-all"), find("#strength-all + output"), "strength");
  slide(find("#brush"), find("#brush + output"), "brush");
  slide(find("#smooth"), find("#smooth + output"), "smooth");
  const colours = find("#colours");
  colours.addEventListener("change", () => set({ colours: colours.checked }));
  find("#models").append(...config.models.map(choice));

  function show() {
    const { model, colours: kept } = get();
    for (const radio of root.querySelectorAll("[name=model]")) radio.checked = radio.value === model;
    colours.checked = kept;
  }

  watch(["model", "colours"], show);
  show();
}

function choice({ name, title, about, here }) {
  const label = document.createElement("label");
  const radio = document.createElement("input");
  Object.assign(radio, { type: "radio", name: "model", value: name, disabled: !here });
  const words = document.createElement("span");
  words.textContent = title;
  label.title = about;
  label.append(radio, words);
  if (!here) words.append(Object.assign(document.createElement("small"), { textContent: about }));
  radio.addEventListener("change", () => set({ model: name }));
  return label;
}
