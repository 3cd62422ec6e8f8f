const beyondAscii = /[\u0080-\uffff]/;

/** Text in Unicode normal form C, in which ids, labels and slice values are compared. */
export function normalForm(text: string): string {
  return beyondAscii.test(text) ? text.normalize("NFC") : text;
}

/** What to tell when texts were not in that form; null when all were. */
export function normalFormNote(changed: number, first: string | undefined): string | null {
  return changed === 0 || first === undefined
    ? null
    : `${changed} ${changed === 1 ? "text was" : "texts were"} not in Unicode normal form C and ${changed === 1 ? "is" : "are"} compared in it (e.g. ${JSON.stringify(first.slice(0, 40))})`;
}
