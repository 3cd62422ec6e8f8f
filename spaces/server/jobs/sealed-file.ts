import type { FileBytes } from "../../../eval/dataset/formats/source.ts";
import type { Sealer } from "./seal.ts";
import type { JobStore } from "./store.ts";

/** Pieces that are read together, and kept open for the next read. */
const READ_AHEAD = 4;

export const partPlace = (blob: string, start: number): string => `${blob}:${start}`;

/** The plain bytes of an upload or a result, opened piece by piece in memory; none of them touches a disk. */
export function sealedFile(
  store: Pick<JobStore, "parts">,
  sealer: Sealer,
  blob: string,
  byteLength: number,
): FileBytes {
  let open: { start: number; bytes: Buffer }[] = [];
  const holding = (at: number) => open.find(({ start, bytes }) => start <= at && at < start + bytes.length);
  return {
    byteLength,
    async slice(from, to) {
      const pieces: Buffer[] = [];
      for (let at = from; at < to;) {
        let piece = holding(at);
        if (piece === undefined) {
          open = (await store.parts(blob, at, READ_AHEAD)).map(({ start, data }) => ({
            start,
            bytes: sealer.open(data, partPlace(blob, start)),
          }));
          piece = holding(at);
          if (piece === undefined) throw new Error(`${blob} has no byte ${at}`);
        }
        const taken = piece.bytes.subarray(at - piece.start, to - piece.start);
        pieces.push(taken);
        at += taken.length;
      }
      return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    },
  };
}
