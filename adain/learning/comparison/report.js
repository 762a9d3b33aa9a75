const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const families = [...new Set(data.methods.map((m) => m.family))];
const isCurve = (family) => data.methods.find((m) => m.family === family).alpha === null;
const hue = (family) => `var(--${!isCurve(family) ? family : family === "gatys-from-content" ? "content" : "adain"})`;
const swatch = (family) => `<span class="key ${isCurve(family) ? "line" : family === "vgg19" ? "diamond" : ""}" style="--hue: ${hue(family)}"></span>`;
const familyName = (family) => !isCurve(family) ? `AdaIN, ${family}` :
  family === "gatys-from-content" ? "Gatys from the content" : `Gatys from AdaIN's picture (${family.slice(11)})`;
const short = (m) => m.alpha === null ? `${m.iterations} steps` : `${m.alpha}`;
const measureIndex = (key) => data.measures.findIndex((m) => m.key === key);
const SECONDS = measureIndex("seconds");
const state = { pair: 0, left: data.methods.find((m) => m.alpha !== null && m.alpha === Math.max(...data.methods.map((n) => n.alpha ?? 0))).key,
  right: data.methods.filter((m) => m.family === "gatys-from-content").at(-1).key, side: "right", scope: "mean", sort: null, down: false };

function number(value) {
  if (value === null) return "–";
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en");
  return value === 0 ? "0" : size < .001 ? value.toExponential(1) : value.toPrecision(3);
}
const scaled = (value, measure) => value === null ? null : value * measure.scale;
const time = (seconds) => seconds < 1 ? `${number(seconds * 1000)} ms` : seconds < 120 ? `${number(seconds)} s` : `${number(seconds / 60)} min`;

// Headline
$("tiles").innerHTML = data.summary.map((entry) => {
  const steps = (count, seconds) => count === null ? `more than <strong>${entry.of}</strong> steps`
    : `<strong>${count}</strong> ${count === 1 ? "step" : "steps"} (${time(seconds)})`;
  const body = "seconds" in entry
    ? `<b>${time(entry.seconds)} <small>a picture</small></b><p>Gatys needs ${steps(entry.style, entry.style_seconds)} to match the style as closely,
       and ${steps(entry.total, entry.total_seconds)} for as low a loss of style and content together.</p>`
    : `<b>${entry.limit} steps</b><p>are worth ${entry.worth === null ? "more than " : ""}<strong>${entry.worth ?? entry.of}</strong> from the content.
       The loss that ${entry.of} from the content reach takes it ${entry.reached === null ? "more than " : ""}<strong>${entry.reached ?? entry.limit}</strong>.</p>`;
  return `<div class="tile" style="--hue: ${hue(entry.family)}"><h2>${escaped(entry.label)}</h2>${body}</div>`;
}).join("");

// Pictures
const options = [["content", "content"], ["style", "style"], ...data.methods.map((m) => [m.key, m.label])];
const picture = (key) => {
  const pair = data.pairs[state.pair];
  return key === "content" || key === "style" ? data.inputs[pair[key]] : pair.pictures[key];
};
const pairName = (pair) => `${pair.content} in the style of ${pair.style}`;
$("pair").innerHTML = data.pairs.map((pair, i) => `<option value="${i}">${escaped(pairName(pair))}</option>`).join("");
for (const side of ["left", "right"]) {
  $(side).innerHTML = options.map(([key, label]) => `<option value="${escaped(key)}">${escaped(label)}</option>`).join("");
  $(side).onchange = () => { state[side] = $(side).value; pictures(); };
}
const groups = [["Inputs", null, [["content", "content"], ["style", "style"]]],
  ...families.map((f) => [familyName(f), f, data.methods.filter((m) => m.family === f).map((m) => [m.key, short(m)])])];
$("choices").innerHTML = groups.map(([name, family, entries]) => `<h3>${family ? swatch(family) : ""}${escaped(name)}${family && !isCurve(family) ? ", by strength" : ""}</h3>
  <div class="row">${entries.map(([key, label]) => `<button data-key="${escaped(key)}" aria-label="${escaped(options.find((o) => o[0] === key)[1])}"><img alt="">${escaped(label)}</button>`).join("")}</div>`).join("");
$("choices").onclick = (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  state[state.side] = button.dataset.key;
  pictures();
};

function pictures() {
  const pair = data.pairs[state.pair];
  $("pair").value = state.pair;
  for (const side of ["left", "right"]) {
    $(side).value = state[side];
    $(`${side}-picture`).src = picture(state[side]);
    $(`${side}-picture`).alt = `${options.find(([key]) => key === state[side])[1]}: ${pairName(pair)}`;
  }
  for (const button of $("choices").querySelectorAll("button")) {
    const key = button.dataset.key, source = picture(key), on = key === state.left || key === state.right;
    if (button.firstChild.src !== source) button.firstChild.src = source;
    button.classList.toggle("on", on);
    button.setAttribute("aria-pressed", on);
    button.querySelector("em")?.remove();
    if (on) {
      const mark = document.createElement("em");
      mark.textContent = state.left === state.right ? "both" : key === state.left ? "left" : "right";
      button.append(mark);
    }
  }
}
$("slider").oninput = () => $("stage").style.setProperty("--x", `${$("slider").value}%`);
function choosePair(number) {
  state.pair = (number + data.pairs.length) % data.pairs.length;
  pictures();
  if (state.scope === "pair") figures();
}
$("pair").onchange = () => choosePair(Number($("pair").value));
$("previous").onclick = () => choosePair(state.pair - 1);
$("next").onclick = () => choosePair(state.pair + 1);
document.querySelectorAll("[name=side]").forEach((input) => { input.onchange = () => { state.side = input.value; }; });

// Plot
const plotted = data.measures.filter((m) => m.plotted);
$("measure").innerHTML = plotted.map((m) => `<option value="${m.key}">${escaped(m.label)}</option>`).join("");
$("measure").onchange = () => plot();
$("legend").innerHTML = families.map((f) => `<li>${swatch(f)}${escaped(familyName(f))}</li>`).join("");
const scope = () => state.scope === "mean" ? data.mean : data.pairs[state.pair];
let points = [], current = -1;

function ticks(low, high, steps = [1, 2, 5]) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
    for (const step of steps) {
      const value = Number(`${step}e${power}`);
      if (value >= low && value <= high) found.push(value);
    }
  return found;
}

function plot() {
  const measure = data.measures[measureIndex($("measure").value)], column = measureIndex(measure.key);
  const width = $("plot").clientWidth, narrow = width < 560, height = narrow ? 330 : 420;
  const left = 52, right = narrow ? 16 : 28, top = 12, bottom = 44;
  const { figures, curves } = scope();
  points = [];
  for (const m of data.methods) {
    const row = figures[m.key];
    points.push({ family: m.family, label: m.label, short: m.alpha === null ? `${m.iterations}` : short(m), x: row[SECONDS], y: scaled(row[column], measure), alpha: m.alpha });
  }
  const lines = Object.entries(curves).map(([family, rows]) => ({ family, rows: rows.map((row) => [row[SECONDS + 1], scaled(row[column + 1], measure), row[0]]) }));
  const all = [...points.map((p) => [p.x, p.y]), ...lines.flatMap((l) => l.rows)].filter(([x]) => x > 0);
  const log = measure.key !== "ssim" && Math.min(...all.map(([, y]) => y)) > 0;
  const bounds = (values, log) => {
    const low = Math.min(...values), high = Math.max(...values);
    if (log) { const pad = Math.max((high / low) ** .06, 1.04); return [low / pad, high * pad]; }
    const pad = Math.max((high - low) * .07, .01);
    return [low - pad, high + pad];
  };
  const [x0, x1] = bounds(all.map(([x]) => x), true), [y0, y1] = bounds(all.map(([, y]) => y), log);
  const px = (x) => left + (width - left - right) * Math.log(x / x0) / Math.log(x1 / x0);
  const py = (y) => top + (height - top - bottom) * (1 - (log ? Math.log(y / y0) / Math.log(y1 / y0) : (y - y0) / (y1 - y0)));
  const linear = () => {
    const step = [.01, .02, .05, .1, .2, .5].find((s) => (y1 - y0) / s <= 7) ?? 1;
    return Array.from({ length: 200 }, (_, i) => Number((Math.ceil(y0 / step) * step + i * step).toFixed(4))).filter((y) => y <= y1);
  };
  let yTicks = log ? ticks(y0, y1, y1 / y0 > 12 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7]) : linear();
  if (log && yTicks.length < 3) {
    // Less than a factor of ten: even steps say more.
    const raw = (y1 - y0) / 7, unit = 10 ** Math.floor(Math.log10(raw)), step = unit * [1, 2, 5, 10].find((s) => s * unit >= raw);
    yTicks = Array.from({ length: 20 }, (_, i) => Number((Math.ceil(y0 / step) * step + i * step).toPrecision(6))).filter((y) => y <= y1);
  }
  let xTicks = ticks(x0, x1);
  if (xTicks.length > (narrow ? 6 : 12)) xTicks = xTicks.filter((x) => Number.isInteger(Math.round(Math.log10(x) * 1e6) / 1e6));
  let svg = "";
  for (const y of yTicks) svg += `<line x1="${left}" x2="${width - right}" y1="${py(y)}" y2="${py(y)}" stroke="var(--faint)"/><text x="${left - 8}" y="${py(y) + 4}" text-anchor="end">${Number(y.toPrecision(6))}</text>`;
  for (const x of xTicks) svg += `<line x1="${px(x)}" x2="${px(x)}" y1="${top}" y2="${height - bottom}" stroke="var(--faint)"/><text x="${px(x)}" y="${height - bottom + 18}" text-anchor="middle">${x < 1 ? `${Number((x * 1000).toPrecision(3))} ms` : `${x} s`}</text>`;
  svg += `<line x1="${left}" x2="${width - right}" y1="${height - bottom}" y2="${height - bottom}" stroke="var(--soft)"/><text x="${(left + width - right) / 2}" y="${height - 6}" text-anchor="middle">time for a picture, logarithmic</text>`;
  for (const { family, rows } of lines) {
    const path = rows.map(([x, y]) => `${px(x).toFixed(1)},${py(y).toFixed(1)}`).join(" ");
    svg += `<polyline class="curve" data-family="${escaped(family)}" points="${path}" fill="none" stroke="${hue(family)}" stroke-width="2.5" stroke-linejoin="round" stroke-linecap="round"/>`;
  }
  points.forEach((p, i) => {
    p.px = px(p.x); p.py = py(p.y);
    const style = `fill="${hue(p.family)}" stroke="var(--card)" stroke-width="2"`;
    svg += p.alpha === null ? `<circle class="mark" data-i="${i}" cx="${p.px}" cy="${p.py}" r="4.5" ${style}/>`
      : p.family === "vgg19" ? `<rect class="point" data-i="${i}" x="${p.px - 6}" y="${p.py - 6}" width="12" height="12" rx="2" transform="rotate(45 ${p.px} ${p.py})" ${style}/>`
      : `<circle class="point" data-i="${i}" cx="${p.px}" cy="${p.py}" r="7" ${style}/>`;
  });
  // A label goes where it covers nothing: neither a point nor another label.
  const taken = points.map((p) => [p.px - 7, p.py - 7, p.px + 7, p.py + 7]);
  for (const p of points) {
    const w = 7 * p.short.length, spots = [[10, 4, "start", 0], [0, -11, "middle", -w / 2], [-10, 4, "end", -w], [0, 20, "middle", -w / 2]];
    if (p.alpha === null) spots.push(spots.shift());
    for (const [dx, dy, anchor, shift] of spots) {
      const x = p.px + dx + shift, y = p.py + dy, box = [x, y - 10, x + w, y + 1];
      if (x < left || x + w > width || taken.some((t) => t[0] < box[2] && box[0] < t[2] && t[1] < box[3] && box[1] < t[3])) continue;
      taken.push(box);
      svg += `<text class="label" x="${p.px + dx}" y="${y}" text-anchor="${anchor}">${escaped(p.short)}</text>`;
      break;
    }
  }
  $("plot").innerHTML = `<svg viewBox="0 0 ${width} ${height}" height="${height}" tabindex="0" role="img" aria-label="${escaped(measure.label)} against time; the arrow keys go from result to result">${svg}</svg><div class="tip" hidden></div>`;
  $("plot-about").textContent = `${measure.about} ${measure.better === "low" ? "Lower" : "Higher"} is better. The numbers at the points are AdaIN's strengths and Gatys's steps.`;
  points.sort((a, b) => a.px - b.px || a.py - b.py);
  current = -1;
  const figure = $("plot").firstChild;
  figure.onpointermove = figure.onpointerdown = (event) => {
    const box = figure.getBoundingClientRect(), at = [event.clientX - box.left, event.clientY - box.top];
    const far = points.map((p) => Math.hypot(p.px - at[0], p.py - at[1]));
    const nearest = far.indexOf(Math.min(...far));
    tell(far[nearest] < 28 ? nearest : -1, measure);
  };
  figure.onpointerleave = figure.onblur = () => tell(-1, measure);
  figure.onkeydown = (event) => {
    const move = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (event.key === "Escape") tell(-1, measure);
    if (!move) return;
    event.preventDefault();
    tell((current + move + points.length + (current < 0 && move < 0)) % points.length, measure, true);
  };
}

function tell(i, measure, aloud) {
  current = i;
  const tip = $("plot").querySelector(".tip"), p = points[i];
  tip.hidden = !p;
  if (!p) return;
  tip.innerHTML = `<strong>${escaped(p.label)}</strong><br>${escaped(measure.label)} ${number(p.y)}, ${time(p.x)}`;
  const room = $("plot").clientWidth - tip.offsetWidth;
  tip.style.left = `${Math.max(0, Math.min(room, p.px - tip.offsetWidth / 2))}px`;
  tip.style.top = `${p.py - tip.offsetHeight - 14 < 0 ? p.py + 14 : p.py - tip.offsetHeight - 14}px`;
  if (aloud) $("said").textContent = tip.textContent;
}

// Table
$("head").innerHTML = `<th scope="col"><button data-column="-1">method</button></th>` +
  data.measures.map((m, i) => `<th scope="col"><button data-column="${i}" title="${escaped(m.about)}">${escaped(m.label)}</button></th>`).join("");
$("head").onclick = (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const column = Number(button.dataset.column);
  if (state.sort === column) state.down = !state.down;
  else { state.sort = column; state.down = data.measures[column]?.better === "high"; }
  table();
};

function table() {
  const rows = scope().figures, sign = state.down ? -1 : 1, order = data.methods.map((m, i) => [m, i]);
  if (state.sort !== null) {
    const value = (m) => rows[m.key][state.sort] ?? Infinity;
    order.sort(([a, i], [b, j]) => sign * (state.sort < 0 ? i - j : value(a) - value(b)) || i - j);
  }
  const best = data.measures.map((m, i) => {
    const values = data.methods.map((n) => rows[n.key][i]).filter((v) => v !== null);
    return values.length ? number(scaled(m.better === "low" ? Math.min(...values) : Math.max(...values), m)) : undefined;
  });
  $("body").innerHTML = order.map(([m]) => `<tr><th scope="row">${swatch(m.family)}${escaped(m.label)}</th>` +
    data.measures.map((n, i) => number(scaled(rows[m.key][i], n))).map((text, i) => `<td${text === best[i] ? ' class="best"' : ""}>${text}</td>`).join("") + "</tr>").join("");
  [...$("head").children].forEach((cell, i) => {
    if (state.sort === i - 1) cell.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  });
  $("table-scope").textContent = state.scope === "mean" ? meanName : pairName(data.pairs[state.pair]);
}

const meanName = data.pairs.length === 1 ? "the one pair" : `mean of ${data.pairs.length} pairs`;
document.querySelector("[value=mean] + span").textContent = meanName;
document.querySelectorAll("[name=scope]").forEach((input) => { input.onchange = () => { state.scope = input.value; figures(); }; });
$("about").innerHTML = data.measures.map((m) => `<dt>${escaped(m.label)}</dt><dd>${escaped(m.about)}</dd>`).join("");
const figures = () => { plot(); table(); };
pictures();
figures();
let drawn = $("plot").clientWidth;
new ResizeObserver(() => { if ($("plot").clientWidth !== drawn) { drawn = $("plot").clientWidth; plot(); } }).observe($("plot"));
