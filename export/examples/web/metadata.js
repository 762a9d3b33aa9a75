// The metadata properties of an ONNX file, which ONNX Runtime Web does not hand out.

/** {name: value} of a model's bytes: field 14 of ModelProto, pairs of key (1) and value (2). */
export function metadata(bytes) {
  const pairs = {};
  for (const [field, property] of fields(bytes)) {
    if (field !== 14) continue;
    const { 1: key, 2: value } = Object.fromEntries(fields(property));
    pairs[text(key)] = text(value);
  }
  return pairs;
}

const text = (bytes) => new TextDecoder().decode(bytes);

/** The fields of a protocol buffer message that hold bytes, as [number, bytes]. */
function* fields(bytes) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (!(byte & 128)) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    if ((tag & 7) === 0) varint();
    else if ((tag & 7) === 1) at += 8;
    else if ((tag & 7) === 5) at += 4;
    else {
      const size = varint();
      yield [tag >>> 3, bytes.subarray(at, at + size)];
      at += size;
    }
  }
}
