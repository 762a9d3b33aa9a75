// The result over the content, with a divider that a hand or the arrow keys move.
// value: {before, after: addresses of pictures, alt: what the result shows, asked: when it was asked
// for}, or null for nothing.
const frame = element.querySelector(".before-after");
const [after, before] = frame.querySelectorAll("img");
const divider = frame.querySelector("input");

function divide() {
  frame.style.setProperty("--divider", `${divider.value}%`);
  divider.setAttribute("aria-valuetext", `content to ${divider.value} %, result beyond`);
}

let shown = 0;

function show() {
  const { before: content, after: result, alt, asked = shown } = props.value || {};
  if (asked < shown) return; // an answer that was overtaken
  shown = asked;
  frame.classList.toggle("empty", !result);
  if (!result) return;
  if (before.getAttribute("src") !== content) before.src = content;
  after.src = result;
  after.alt = alt;
}

divider.addEventListener("input", divide);
watch("value", show);
divide();
show();
