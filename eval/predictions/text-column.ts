import { normalForm } from "../dataset/normal-form.ts";

/** A column of texts: the distinct ones in order of first appearance, and which of them each row has. */
export type TextColumn = { values: string[]; codes: Uint32Array };

/** The row in which a value appears first. */
export function firstRowOf({ codes }: TextColumn, code: number): number {
  return codes.indexOf(code);
}

/** One string per row; equal texts are one string. */
export function textsOf({ values, codes }: TextColumn): string[] {
  const texts = new Array<string>(codes.length);
  for (let i = 0; i < codes.length; i++) texts[i] = values[codes[i] as number] as string;
  return texts;
}

export function countsOf({ values, codes }: TextColumn): Map<string, number> {
  const counts = new Uint32Array(values.length);
  for (let i = 0; i < codes.length; i++) (counts[codes[i] as number] as number)++;
  return new Map(values.map((value, code) => [value, counts[code] as number]));
}

/** The column with its texts in Unicode normal form; those that become equal are one. */
export function normalised(column: TextColumn): { column: TextColumn; changed: number; first: string | undefined } {
  const forms = column.values.map(normalForm);
  const changedCodes = new Set(forms.flatMap((form, code) => (form === column.values[code] ? [] : [code])));
  if (changedCodes.size === 0) return { column, changed: 0, first: undefined };
  const values = [...new Set(forms)];
  const codeOf = new Map(values.map((value, code) => [value, code]));
  const recoded = Uint32Array.from(forms, (form) => codeOf.get(form) as number);
  let changed = 0;
  const codes = column.codes.map((code) => {
    if (changedCodes.has(code)) changed++;
    return recoded[code] as number;
  });
  return { column: { values, codes }, changed, first: column.values[[...changedCodes][0] as number] };
}

/** Collects a column row by row. */
export class TextColumnBuilder {
  readonly #codeOf = new Map<string, number>();
  #codes = new Uint32Array(1024);
  #length = 0;

  /** @param earlier rows that come before the first one added, which have `value` */
  constructor(earlier = 0, value = "") {
    if (earlier === 0) return;
    this.#codeOf.set(value, 0);
    this.#codes = new Uint32Array(earlier + 1024);
    this.#length = earlier;
  }

  add(text: string): void {
    let code = this.#codeOf.get(text);
    if (code === undefined) this.#codeOf.set(text, (code = this.#codeOf.size));
    if (this.#length === this.#codes.length) {
      const larger = new Uint32Array(2 * this.#length);
      larger.set(this.#codes);
      this.#codes = larger;
    }
    this.#codes[this.#length++] = code;
  }

  column(): TextColumn {
    return { values: [...this.#codeOf.keys()], codes: this.#codes.slice(0, this.#length) };
  }
}
