// A box that takes one picture: chosen, dropped, pasted, or one of its samples.
import { open } from './pictures.js';

export class Picker {
  /** `onpick(picture, name)` is called with every new picture, `ontrouble(sentence)` without. */
  constructor(section, samples, onpick, ontrouble) {
    this.section = section;
    this.onpick = onpick;
    this.ontrouble = ontrouble;
    this.preview = section.querySelector('.drop canvas');
    this.buttons = [];
    const input = section.querySelector('input');
    input.addEventListener('change', () => {
      if (input.files.length) this.take(input.files);
      input.value = ''; // so that the same file can be chosen again
    });
    const box = section.querySelector('.drop');
    for (const name of ['dragover', 'dragleave', 'drop']) {
      box.addEventListener(name, () => box.classList.toggle('over', name === 'dragover'));
    }
    for (const [name, draw] of Object.entries(samples)) this.addSample(name, draw());
    this.buttons[0].click();
  }

  addSample(name, canvas) {
    const button = document.createElement('button');
    button.type = 'button';
    button.title = name;
    button.setAttribute('aria-label', name);
    const thumb = Object.assign(document.createElement('canvas'), { width: 128, height: 128 });
    cover(thumb, canvas);
    button.append(thumb);
    button.addEventListener('click', () => this.show(canvas, name, button));
    this.section.querySelector('.samples').append(button);
    this.buttons.push(button);
  }

  /** The first of the files, if it is a picture. */
  async take(files) {
    const file = files[0];
    this.latest = file;
    try {
      if (!file) throw new Error('What was dropped holds no file; save the picture first.');
      const picture = await open(file);
      // Another one may have been chosen while this one was decoded.
      if (this.latest === file) this.show(picture, file.name);
    } catch (error) {
      this.ontrouble(error.message);
    }
  }

  show(picture, name, button) {
    this.latest = picture;
    for (const each of this.buttons) each.setAttribute('aria-pressed', each === button);
    cover(this.preview, picture);
    this.onpick(picture, name);
  }
}

/** Fill a canvas with the middle of a picture. */
function cover(canvas, picture) {
  const scale = Math.max(canvas.width / picture.width, canvas.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  const context = canvas.getContext('2d');
  context.fillStyle = 'white';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  const [left, top] = [(canvas.width - width) / 2, (canvas.height - height) / 2];
  context.drawImage(picture, left, top, width, height);
}
