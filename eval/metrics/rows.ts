/** Positions of the rows of each value. Values and rows are in order of appearance. */
export function rowsByValue(values: readonly string[]): Map<string, Int32Array> {
  const codeOf = new Map<string, number>();
  const codes = new Uint32Array(values.length);
  const counts: number[] = [];
  for (let row = 0; row < values.length; row++) {
    let code = codeOf.get(values[row] as string);
    if (code === undefined) {
      codeOf.set(values[row] as string, (code = counts.length));
      counts.push(0);
    }
    codes[row] = code;
    counts[code] = (counts[code] as number) + 1;
  }
  const rows = counts.map((count) => new Int32Array(count));
  const filled = new Uint32Array(counts.length);
  for (let row = 0; row < values.length; row++) {
    const code = codes[row] as number;
    (rows[code] as Int32Array)[filled[code]!++] = row;
  }
  return new Map([...codeOf].map(([value, code]) => [value, rows[code] as Int32Array]));
}
