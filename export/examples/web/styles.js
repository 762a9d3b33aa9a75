// The styles the page opens with, drawn by code: the same on every visit.
import { disc, pick, sheet } from './drawing.js';

export const STYLES = { Swirls: swirls, Glass: glass, Waves: waves, Dabs: dabs };

function swirls() {
  const [canvas, c, random] = sheet(512, 512, 11);
  c.fillStyle = '#17305f';
  c.fillRect(0, 0, 512, 512);
  const eyes = [[130, 120, 95], [350, 170, 120], [230, 300, 80], [450, 60, 60], [60, 280, 60]];
  c.lineCap = 'round';
  for (let k = 0; k < 5200; k++) {
    let [x, y] = [random() * 512, random() * 512];
    let glow = 0;
    for (const [ex, ey, r] of eyes) glow = Math.max(glow, 1 - Math.hypot(x - ex, y - ey) / r);
    const blues = ['#1d3f85', '#2f63ad', '#5a93c9', '#a7cbdc', '#12254d', '#3b7f8c'];
    const hills = ['#1c3b2b', '#3f6b3a', '#0f2233', '#8a7b35'];
    const golds = ['#f6d552', '#fbeaa0', '#e9a63a', '#d8e0b0', '#7fb2c4'];
    const sky = random() < glow * 1.7 ? golds : blues;
    c.strokeStyle = pick(random, y > 400 + 30 * Math.sin(x / 60) ? hills : sky);
    c.lineWidth = 2 + 3 * random();
    c.beginPath();
    c.moveTo(x, y);
    for (let step = 0; step < 7; step++) {
      let [dx, dy] = [1, 0.35 * Math.sin(x / 45)];
      for (const [ex, ey, r] of eyes) {
        const [ax, ay] = [x - ex, y - ey];
        const pull = Math.exp(-((Math.hypot(ax, ay) / r) ** 2)) * 0.12;
        [dx, dy] = [dx - ay * pull, dy + ax * pull];
      }
      const length = Math.hypot(dx, dy) || 1;
      [x, y] = [x + (4 * dx) / length, y + (4 * dy) / length];
      c.lineTo(x, y);
    }
    c.stroke();
  }
  return canvas;
}

function glass() {
  const [canvas, c, random] = sheet(512, 512, 21);
  const reds = ['#c3202f', '#f2a51e', '#f4e3b2', '#e3632b'];
  const colours = [...reds, '#1f56a8', '#1c8a5a', '#6a2c83', '#0f2c5c'];
  const seed = () => [random() * 512, random() * 512, pick(random, colours)];
  const seeds = Array.from({ length: 70 }, seed);
  const nearest = (x, y) => {
    let [first, second, found] = [Infinity, Infinity, seeds[0]];
    for (const seed of seeds) {
      const far = Math.hypot(x - seed[0], y - seed[1]);
      if (far < first) [second, first, found] = [first, far, seed];
      else if (far < second) second = far;
    }
    return [second - first, first, found[2]];
  };
  for (let y = 0; y < 512; y += 2) {
    for (let x = 0; x < 512; x += 2) {
      const [edge, far, colour] = nearest(x, y);
      c.fillStyle = edge < 6 ? '#15130f' : colour;
      c.fillRect(x, y, 2, 2);
      if (edge < 6) continue;
      c.fillStyle = `rgb(255 250 225 / ${Math.max(0, 0.45 - far / 70) + 0.12 * random()})`;
      c.fillRect(x, y, 2, 2);
    }
  }
  return canvas;
}

function waves() {
  const [canvas, c, random] = sheet(512, 512, 31);
  c.fillStyle = '#efe0bf';
  c.fillRect(0, 0, 512, 512);
  disc(c, '#c8402f', 370, 120, 68);
  const inks = ['#1d3a63', '#3f6f9c', '#8fb3c2', '#efe3c8', '#1d3a63', '#27527f'];
  for (let row = 0; row < 11; row++) {
    for (let k = -1; k < 7; k++) {
      const [x, y] = [k * 84 + (row % 2) * 42, 215 + row * 30 + 6 * random()];
      for (let ring = 0; ring < 6; ring++) disc(c, inks[ring], x, y, 46 - ring * 8);
      for (let i = 0; i < 5; i++) disc(c, '#f7f0df', x - 30 + i * 15, y - 36 + 10 * random(), 5);
    }
  }
  c.globalAlpha = 0.12; // the grain of the block
  for (let y = 0; y < 512; y += 3) {
    c.fillStyle = pick(random, ['#3b2a1a', '#fff7e0']);
    c.fillRect(0, y + 2 * random(), 512, 1);
  }
  return canvas;
}

function dabs() {
  const [canvas, c, random] = sheet(512, 512, 41);
  c.fillStyle = '#d9c9a0';
  c.fillRect(0, 0, 512, 512);
  const bands = [
    ['#f7c35f', '#f29a4a', '#f6dd8f', '#e9758a', '#f7efcf'],
    ['#e5584f', '#f0894c', '#b54a7c', '#f6c766', '#7b4fa0'],
    ['#2f8f83', '#4fb06a', '#1f5f8c', '#a9cf5c', '#e6d14f'],
    ['#243f8f', '#5b3f9a', '#1f7f9c', '#c2457f', '#3fa08f'],
  ];
  for (let k = 0; k < 15000; k++) {
    const [x, y] = [random() * 512, random() * 512];
    const band = (y + 40 * Math.sin(x / 70) + 60 * (random() - 0.5)) / 128;
    const colours = bands[Math.min(3, Math.max(0, Math.floor(band)))];
    disc(c, pick(random, colours), x, y, 2.5 + 2.5 * random());
  }
  return canvas;
}
