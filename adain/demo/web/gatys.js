// The photo and the style of the other tabs, for the optimisation: uploaded when somebody comes to it.
import { complain } from "./notices.js";
import * as pictures from "./pictures.js";
import { get, same, watch } from "./store.js";

export function mount(element, { props, upload }) {
  const figures = [...element.querySelectorAll("figure")];
  let sent = null;

  async function show() {
    const { tab, photo, style } = get();
    if (tab !== "gatys" || same(sent, [photo, style])) return;
    sent = [photo, style];
    props.value = "";
    try {
      const [content, manner] = await Promise.all([
        place(figures[0], photo, "photos"),
        place(figures[1], style, "styles"),
      ]);
      if (same(sent, [photo, style])) props.value = JSON.stringify({ content, style: manner });
    } catch (error) {
      sent = null;
      complain(error);
    }
  }

  async function place(figure, picture, group) {
    figure.querySelector("img").src = await pictures.shown(picture, group, 384);
    figure.querySelector("span").textContent = pictures.titleOf(picture);
    if (picture.kind === "here") return { name: picture.name };
    const { blob } = await pictures.preview(picture);
    const file = new File([blob], picture.title, { type: blob.type });
    return { path: (await upload(file)).path };
  }

  watch(["tab", "photo", "style"], show);
  show();
}
