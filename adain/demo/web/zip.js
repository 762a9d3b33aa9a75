// A ZIP archive of files that are compressed already: stored, as APPNOTE.TXT 4.3 has it.
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function record(signature, fields) {
  const size = fields.reduce((sum, [bytes]) => sum + bytes, 4);
  const view = new DataView(new ArrayBuffer(size));
  view.setUint32(0, signature, true);
  let at = 4;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return view;
}

// files: [{name, blob}]; a Blob.
export async function zip(files) {
  const parts = [];
  const directory = [];
  const names = new Set();
  let offset = 0;
  for (const { name, blob } of files) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const title = new TextEncoder().encode(unused(name, names));
    // Version 2.0, names in UTF-8 (bit 11), stored, 1 January 1980, checksum and sizes.
    const about = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, crc32(bytes)]];
    about.push([4, bytes.length], [4, bytes.length], [2, title.length], [2, 0]);
    const local = record(0x04034b50, about);
    const central = [[2, 20], ...about, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]];
    directory.push(record(0x02014b50, central), title);
    parts.push(local, title, bytes);
    offset += local.byteLength + title.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.byteLength, 0);
  const count = files.length;
  const end = [[2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0]];
  return new Blob([...parts, ...directory, record(0x06054b50, end)], { type: "application/zip" });
}

// The name, numbered where it is taken.
function unused(name, names) {
  const [, stem, suffix] = /^(.*?)(\.[^.]*)?$/.exec(name);
  let found = name;
  for (let number = 2; names.has(found); number++) found = `${stem}-${number}${suffix || ""}`;
  names.add(found);
  return found;
}
