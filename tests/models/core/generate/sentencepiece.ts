/** What a SentencePiece model file holds of its pieces: text, score and type (3: control). */
type Piece = { text: string; score: number; type: number };

/**
 * A SentencePiece BPE model as a Hugging Face tokenizer.json. Two pieces merge into a third where all three are pieces;
 * the order is that of the scores.
 */
export function tokenizerOf(file: Uint8Array): object {
  const pieces = piecesOf(Buffer.from(file));
  const ids = new Map(pieces.map(({ text }, id) => [text, id]));
  const merges = pieces
    .flatMap(({ text, score, type }) =>
      type !== 1
        ? []
        : [...splits(text)].flatMap(([left, right]) =>
            ids.has(left) && ids.has(right) ? [{ left, right, score, at: ids.get(left)! }] : [],
          ),
    )
    .toSorted((a, b) => b.score - a.score || a.at - b.at)
    .map(({ left, right }) => `${left} ${right}`);
  const special = pieces.flatMap(({ text, type }, id) =>
    type === 1
      ? []
      : [{ id, content: text, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }],
  );
  const metaspace = { type: "Metaspace", replacement: "▁", add_prefix_space: true, prepend_scheme: "always" };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special,
    normalizer: {
      type: "Sequence",
      normalizers: [{ type: "NFKC" }, { type: "Replace", pattern: { Regex: " {2,}" }, content: " " }],
    },
    pre_tokenizer: metaspace,
    post_processor: null,
    decoder: metaspace,
    model: { type: "BPE", vocab: Object.fromEntries(ids), merges, unk_token: "<unk>", fuse_unk: true },
  };
}

function* splits(text: string): Generator<[string, string]> {
  const letters = [...text];
  for (let i = 1; i < letters.length; i++) yield [letters.slice(0, i).join(""), letters.slice(i).join("")];
}

function piecesOf(file: Buffer): Piece[] {
  return [...fieldsOf(file)].flatMap(([field, value]) => {
    if (field !== 1 || typeof value === "number") return [];
    const piece = { text: "", score: 0, type: 1 };
    for (const [key, part] of fieldsOf(value)) {
      if (key === 1) piece.text = String(part);
      if (key === 2) piece.score = part as number;
      if (key === 3) piece.type = part as number;
    }
    return [piece];
  });
}

/** Fields of a protobuf message: varints and floats as numbers, the rest as bytes. */
function* fieldsOf(bytes: Buffer): Generator<[number, number | Buffer]> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    if ((tag & 7) === 0) yield [tag >> 3, varint()];
    else if ((tag & 7) === 5) yield [tag >> 3, bytes.readFloatLE((at += 4) - 4)];
    else {
      const length = (tag & 7) === 2 ? varint() : 8;
      yield [tag >> 3, bytes.subarray(at, (at += length))];
    }
  }
}
