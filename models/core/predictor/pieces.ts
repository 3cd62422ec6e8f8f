import { textPieces } from "../generate/text-pieces.ts";
import { SEQUENCES } from "../generate/schema.ts";
import type { Pipeline, PreparedRow } from "./pipeline.ts";

/**
 * Sends the texts of a run piece by piece: `onToken` for the decode loop, `end` once the results are there. The first
 * text head's text is sent. Null where nobody asked for pieces.
 */
export function pieceSender(
  pipeline: Pick<Pipeline, "read">,
  batch: readonly { index: number; row: PreparedRow }[],
  onPiece: ((index: number, piece: string) => void) | undefined,
) {
  if (onPiece === undefined) return null;
  const senders = batch.map(({ index, row }) =>
    textPieces(
      (ids) => {
        const data = BigInt64Array.from(ids, BigInt);
        const read = pipeline.read({ [SEQUENCES]: { dtype: "int64", data, dims: [1, ids.length] } }, 1);
        return textIn(read(0, () => `row ${index}`, row));
      },
      (piece) => onPiece(index, piece),
    ),
  );
  return {
    onToken: (row: number, id: number) => senders[row]!.add(id),
    end(results: readonly ({ ok: true; heads: Readonly<Record<string, { kind: string }>> } | { ok: false })[]) {
      batch.forEach(({ index }, i) => {
        const result = results[index]!;
        if (result.ok) senders[i]!.end(textIn(result.heads));
      });
    },
  };
}

function textIn(heads: Readonly<Record<string, { kind: string }>>): string {
  const head = Object.values(heads).find(({ kind }) => kind === "text");
  return head !== undefined && "text" in head && typeof head.text === "string" ? head.text : "";
}
