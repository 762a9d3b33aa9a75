// The page's single-page application: one photo and one look in all tabs. `element` is of the
// `gr.HTML` whose template is studio.html; `props.config` is as studio.py has it.
import { keepOnly } from "./blobs.js";
import { startChoices } from "./choices.js";
import { startLive } from "./live.js";
import { startLook } from "./look.js";
import { startMany } from "./many.js";
import { startMix } from "./mix.js";
import { setNotices } from "./notices.js";
import { startPaint } from "./paint_tab.js";
import * as pictures from "./pictures.js";
import { startResult } from "./result.js";
import { startSheet } from "./sheet.js";
import { get, here, restore, usedPictures } from "./store.js";
import { startTabs } from "./tabs.js";
import { startUndo } from "./undo.js";
import { startVideo } from "./video.js";

export function mount(element, { props: { config } }) {
  const root = element.querySelector(".studio");
  const page = { root, find: (selector) => root.querySelector(selector), config };
  setNotices(page.find(".notice"));
  pictures.setLimits({
    bytes: config.max_upload,
    titles: new Map([...config.photos, ...config.styles].map(({ name, title }) => [name, title])),
    model: config.models[0].name,
    anyStyle: config.styles[0].name,
  });
  begin(config);
  startPaint(page);
  startMix(page);
  startLook(page);
  startChoices(page, startMany(page), startVideo(page));
  startResult(page);
  startSheet(page);
  startLive(page);
  startTabs(page);
  startUndo();
  // Own pictures that nothing names any more are not kept.
  keepOnly(new Set(usedPictures(get()).map(({ id }) => id)));
}

// The state as it was left, or as the address has it.
function begin({ photos, styles, models, pairs, tabs }) {
  const names = (list) => list.map(({ name }) => name);
  const [pair] = pairs;
  const initial = {
    tab: tabs[0],
    photo: here(pair.photo),
    style: here(pair.style),
    wells: styles.slice(0, 2).map(({ name }) => ({ style: here(name), share: 50 })),
    brushes: styles.slice(0, 3).map(({ name }) => here(name)),
    strength: pair.strength,
    model: pair.model,
    brush: 100,
    smooth: 0,
    colours: false,
    painted: null,
    hand: 1,
    own: [],
    recent: [],
    pace: {},
    steady: 90,
    side: "640",
    video: null,
  };
  const present = models.filter((model) => model.here);
  restore(initial, { photos: names(photos), styles: names(styles), models: names(present), tabs });
}
