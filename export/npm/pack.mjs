// Lays the package out in build/package/ and packs it as build/adain-VERSION.tgz.
//
// node pack.mjs [FOLDER OF THE MODEL'S FILES]
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..', '..');
const web = join(root, 'export', 'examples', 'web');
const weights = process.argv[2] ?? join(root, 'weights');
const build = join(here, 'build', 'package');

await rm(build, { recursive: true, force: true });
await mkdir(build, { recursive: true });
await cp(join(here, 'src'), build, { recursive: true });
const copies = [
  [join(here, 'README.md'), 'README.md'],
  [join(root, 'LICENSE'), 'LICENSE'],
  // What the example shows on its own.
  [join(web, 'metadata.js'), 'metadata.js'],
  [join(web, 'planes.js'), 'planes.js'],
];
for (const part of ['encoder-fp16', 'style', 'decoder-fp16']) {
  const name = `adain-fast-${part}.onnx`;
  copies.push([join(weights, name), join('models', name)]);
}
for (const [from, to] of copies) {
  await cp(from, join(build, to)).catch((error) => {
    console.error(`${from}: not there (${error.code}); python -m export makes the models`);
    process.exit(1);
  });
}
const about = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
delete about.devDependencies;
delete about.scripts;
await writeFile(join(build, 'package.json'), `${JSON.stringify(about, null, 2)}\n`);
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const packed = execFileSync(npm, ['pack', '--silent', '--pack-destination', '..'], { cwd: build });
console.log(join(here, 'build', String(packed).trim()));
