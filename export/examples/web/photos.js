// The photos the page opens with, drawn by code: the same on every visit.
import { disc, gradient, pick, polygon, sheet } from './drawing.js';

export const PHOTOS = { Lake: lake, Street: street, Fruit: fruit, Portrait: portrait };

function lake() {
  const [canvas, c, random] = sheet(720, 540, 1);
  c.fillStyle = gradient(c, 0, 0, 0, 330, '#6fa3d8', '#b9d3e6', '#fbe3c0');
  c.fillRect(0, 0, 720, 330);
  disc(c, '#fff4d2', 520, 190, 34);
  for (let k = 0; k < 9; k++) {
    const [x, y] = [random() * 720, 40 + random() * 110];
    for (let i = 0; i < 7; i++) {
      disc(c, 'rgb(255 255 255 / 0.35)', x + i * 16, y + random() * 14, 26, 12);
    }
  }
  const ranges = [[235, 80, '#8d9fbd'], [275, 70, '#62799a'], [310, 45, '#3f5a5d']];
  for (const [base, rough, colour] of ranges) {
    const ridge = [[0, 330]];
    for (let x = 0; x <= 720; x += 12) {
      const height = Math.sin(x / 67 + base) + 0.6 * Math.sin(x / 29 + base * 2) + 0.3 * random();
      ridge.push([x, base - rough * 0.6 * height]);
    }
    polygon(c, colour, ...ridge, [720, 330]);
  }
  c.save(); // the water is the land upside down, darker
  c.translate(0, 660);
  c.scale(1, -1);
  c.drawImage(canvas, 0, 120, 720, 210, 0, 120, 720, 210);
  c.restore();
  c.fillStyle = gradient(c, 0, 330, 0, 540, 'rgb(30 70 100 / 0.25)', 'rgb(12 40 66 / 0.8)');
  c.fillRect(0, 330, 720, 210);
  for (let k = 0; k < 260; k++) {
    const y = 334 + 206 * random() ** 1.4;
    c.fillStyle = `rgb(255 240 210 / ${0.08 + 0.2 * random()})`;
    c.fillRect(random() * 720, y, (y - 320) * 0.5 * random(), 1.5);
  }
  polygon(c, '#f7efe2', [250, 300], [250, 400], [190, 400]);
  polygon(c, '#d9513b', [258, 285], [258, 400], [330, 400]);
  polygon(c, '#4a2c20', [175, 408], [345, 408], [318, 434], [205, 434]);
  return canvas;
}

function street() {
  const [canvas, c, random] = sheet(720, 540, 5);
  c.fillStyle = gradient(c, 0, 0, 0, 430, '#3c6fb0', '#9cc4e4', '#f3e8d2');
  c.fillRect(0, 0, 720, 540);
  const walls = ['#d98a4e', '#c9574a', '#e5c46b', '#7f9f8a', '#b98fa6', '#e0d4bd'];
  for (let x = 0, k = 0; x < 720; k++) {
    const [width, height] = [95 + random() * 50, 240 + random() * 130];
    const top = 440 - height;
    c.fillStyle = gradient(c, x, 0, x + width, 0, walls[k % 6], '#6d4a3c');
    c.fillRect(x, top, width * 1.02, height);
    polygon(c, '#7a3b2c', [x - 6, top], [x + width / 2, top - 46], [x + width + 6, top]);
    for (let y = top + 24; y < 350; y += 58) {
      for (let i = 0; i < 3; i++) {
        const left = x + 12 + (i * (width - 16)) / 3;
        c.fillStyle = '#f6efe0';
        c.fillRect(left - 3, y - 3, 25, 38);
        c.fillStyle = random() < 0.3 ? '#ffd877' : '#33485c';
        c.fillRect(left, y, 19, 32);
      }
    }
    c.fillStyle = '#43302a';
    c.fillRect(x + width / 2 - 14, 386, 28, 54);
    x += width;
  }
  c.fillStyle = gradient(c, 0, 440, 0, 540, '#a59a8c', '#5f574f');
  c.fillRect(0, 440, 720, 100);
  for (let k = 0; k < 420; k++) {
    const y = 444 + 96 * random();
    const size = (y - 425) / 26;
    disc(c, `rgb(40 34 30 / ${0.1 + 0.15 * random()})`, random() * 720, y, 2.6 * size, size);
  }
  for (const x of [70, 400, 655]) {
    c.fillStyle = '#4b3526';
    c.fillRect(x - 5, 330, 10, 125);
    for (let k = 0; k < 110; k++) {
      const [angle, far] = [random() * 6.28, 62 * Math.sqrt(random())];
      const green = pick(random, ['#355e2b', '#4f7f37', '#7aa648', '#274a27']);
      disc(c, green, x + far * Math.cos(angle), 300 + far * Math.sin(angle), 11, 8);
    }
  }
  return canvas;
}

function fruit() {
  const [canvas, c, random] = sheet(720, 540, 8);
  c.fillStyle = gradient(c, 0, 0, 0, 540, '#caa886', '#8f6a4d');
  c.fillRect(0, 0, 720, 540);
  c.fillStyle = gradient(c, 0, 350, 0, 540, '#ece5da', '#b5a999');
  c.fillRect(0, 350, 720, 190);
  const round = (x, y, r, light, dark) => {
    disc(c, 'rgb(60 40 25 / 0.35)', x + r * 0.25, y + r * 0.86, r * 1.1, r * 0.26);
    const fill = c.createRadialGradient(x - r * 0.4, y - r * 0.45, r * 0.1, x, y, r);
    fill.addColorStop(0, '#fff3d9');
    fill.addColorStop(0.25, light);
    fill.addColorStop(1, dark);
    disc(c, fill, x, y, r);
  };
  c.fillStyle = gradient(c, 95, 0, 255, 0, '#2f5d78', '#8fc0d4', '#1d3e54');
  c.beginPath();
  c.roundRect(100, 190, 150, 250, [20, 20, 70, 70]);
  c.fill();
  for (let k = 0; k < 26; k++) {
    const angle = -1.57 + (random() - 0.5) * 2.1;
    const far = 70 + random() * 95;
    const [x, y] = [175 + far * Math.cos(angle), 195 + far * Math.sin(angle)];
    c.strokeStyle = '#3f6134';
    c.lineWidth = 3;
    c.beginPath();
    c.moveTo(175, 200);
    c.lineTo(x, y);
    c.stroke();
    for (let i = 0; i < 6; i++) {
      const petal = pick(random, ['#f4f0ff', '#e8b7cf', '#f6d05f']);
      disc(c, petal, x + 11 * Math.cos(i), y + 11 * Math.sin(i), 8);
    }
    disc(c, '#a9552b', x, y, 6);
  }
  round(395, 400, 62, '#d8402d', '#6d1119');
  round(505, 385, 70, '#f0a032', '#8f3f10');
  round(610, 415, 55, '#a9c04a', '#44601c');
  round(455, 455, 52, '#e9c540', '#94640f');
  round(330, 450, 46, '#7b3f74', '#2c1433');
  return canvas;
}

function portrait() {
  const [canvas, c, random] = sheet(540, 640, 3);
  c.fillStyle = gradient(c, 0, 0, 540, 640, '#54707c', '#8fa39d', '#c9b694');
  c.fillRect(0, 0, 540, 640);
  for (let k = 0; k < 900; k++) {
    const haze = `rgb(255 255 255 / ${0.05 * random()})`;
    disc(c, haze, random() * 540, random() * 640, 5 + random() * 25);
  }
  disc(c, '#3d2418', 270, 270, 150, 180); // hair
  polygon(c, '#3d2418', [122, 270], [418, 270], [440, 520], [100, 520]);
  const dress = gradient(c, 60, 0, 480, 0, '#7a2236', '#c0474d', '#5b1728');
  polygon(c, dress, [30, 640], [110, 520], [270, 480], [430, 520], [510, 640]);
  const neck = gradient(c, 210, 0, 330, 0, '#e0a783', '#a86a4a');
  polygon(c, neck, [222, 380], [318, 380], [340, 505], [270, 550], [200, 505]);
  disc(c, gradient(c, 160, 0, 380, 0, '#f3c7a4', '#e3a27c', '#b0714f'), 270, 285, 108, 140);
  const hairline = [[382, 270], [330, 205], [225, 195]];
  polygon(c, '#3d2418', [160, 265], [190, 165], [270, 130], [360, 170], ...hairline);
  for (const [x, side] of [[228, 1], [314, -1]]) {
    disc(c, '#fbf4ec', x, 282, 21, 11);
    disc(c, '#3b5a4c', x + side, 282, 10.5);
    disc(c, '#101010', x + side, 282, 5);
    disc(c, '#ffffff', x + 4, 278, 2.5);
    c.strokeStyle = '#4a2c1e';
    c.lineWidth = 6;
    c.beginPath();
    c.ellipse(x, 278, 30, 22, 0, 3.7, 5.7);
    c.stroke();
  }
  polygon(c, 'rgb(140 80 55 / 0.55)', [272, 285], [292, 345], [258, 348]);
  disc(c, '#b5473f', 270, 378, 33, 9);
  disc(c, '#8d2f2e', 270, 375, 33, 3);
  return canvas;
}
