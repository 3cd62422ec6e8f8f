/**
 * Turns tokens into the pieces of a text as they come: what a longer text no longer changes. Bytes that do not make a
 * character yet are held back. The pieces and the rest are the whole text.
 *
 * @param decode all ids so far → their text
 */
export function textPieces(decode: (ids: readonly number[]) => string, emit: (piece: string) => void) {
  const ids: number[] = [];
  let sent = "";
  const send = (text: string) => {
    if (text.length <= sent.length || !text.startsWith(sent)) return;
    const piece = text.slice(sent.length);
    sent = text;
    emit(piece);
  };
  return {
    add(id: number): void {
      ids.push(id);
      send(decode(ids).replace(/\uFFFD+$/, ""));
    },
    /** Sends what is missing of the answer's text. */
    end: (text: string) => send(text),
  };
}
