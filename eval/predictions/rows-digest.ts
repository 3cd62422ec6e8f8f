import { createHash } from "node:crypto";
import { answerTruth } from "./answer-truth.ts";
import type { Predictions } from "./predictions.ts";
import { rememberedIds, type RowIds } from "./row-ids.ts";

/**
 * SHA-256 (hex) over the ids and labels of predictions: all that a prediction file knows of its dataset. One line
 * `["ID",LABEL]` per row, as JSON; LABEL is the row's `answerTruth` where there are answers. With altered copies: of a
 * line with this digest and a line with that of the copies.
 */
export function rowsDigest(predictions: Predictions): string {
  const { copies } = predictions;
  const own = digestOf(predictions);
  return copies === undefined
    ? own
    : createHash("sha256")
        .update(`${own}\n${digestOf(copies)}\n`)
        .digest("hex");
}

function digestOf(predictions: Predictions): string {
  const hash = createHash("sha256");
  const { labels, answers } = predictions;
  if (answers !== undefined) {
    predictions.ids.forEach((id, row) => hash.update(`[${JSON.stringify(id)},${answerTruth(answers, row)}]\n`));
    return hash.digest("hex");
  }
  const ids = rememberedIds(predictions);
  const lines = ids === undefined ? null : plainLines(ids, labels);
  if (lines !== null) for (const block of lines) hash.update(block);
  else {
    for (let from = 0; from < labels.length; from += 4096) {
      let block = "";
      for (let row = from; row < Math.min(labels.length, from + 4096); row++)
        block += `${JSON.stringify([predictions.ids[row], labels[row]])}\n`;
      hash.update(block);
    }
  }
  return hash.digest("hex");
}

/** The same lines from bytes; null where an id or a label needs more than copying. */
function plainLines(ids: RowIds, labels: Float64Array): Buffer[] | null {
  const blocks: Buffer[] = [];
  let block = Buffer.allocUnsafe(1 << 20);
  let at = 0;
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number;
    const length = ids.lengths[row] as number;
    if (label !== 0 && label !== 1) return null;
    if (at + length + 8 > block.length) {
      blocks.push(block.subarray(0, at));
      block = Buffer.allocUnsafe(Math.max(1 << 20, length + 8));
      at = 0;
    }
    block[at++] = 91;
    block[at++] = 34;
    const start = ids.starts[row] as number;
    for (let i = start; i < start + length; i++) {
      const byte = ids.bytes[i] as number;
      if (byte < 32 || byte === 34 || byte === 92) return null;
      block[at++] = byte;
    }
    block[at++] = 34;
    block[at++] = 44;
    block[at++] = 48 + label;
    block[at++] = 93;
    block[at++] = 10;
  }
  blocks.push(block.subarray(0, at));
  return blocks;
}
