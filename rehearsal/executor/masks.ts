/** What must not be read in a log: values, line by line, and the forms in which they usually appear encoded. */
export class Masks {
  #values: string[] = [];

  add(value: string): void {
    for (const line of new Set([value, ...value.split(/\r?\n/)].map((one) => one.trim()))) {
      if (line === "") continue;
      // Of a short value too few characters are left in base64 to tell it from anything else.
      const encoded = line.length < 8 ? [] : [0, 1, 2].map((shift) => base64Core(line, shift));
      for (const form of [line, JSON.stringify(line).slice(1, -1), encodeURIComponent(line), ...encoded])
        if (!this.#values.includes(form)) this.#values.push(form);
    }
    // Longer ones first, so that no rest of a secret is left beside a shorter one.
    this.#values.sort((one, other) => other.length - one.length);
  }

  apply(text: string): string {
    let masked = text;
    for (const value of this.#values) masked = masked.replaceAll(value, "***");
    return masked;
  }

  holds(text: string): boolean {
    return this.#values.some((value) => text.includes(value));
  }
}

/** The characters of a base64 text that the value alone decides, whatever stands before and after it. */
function base64Core(value: string, shift: number): string {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)]);
  const whole = bytes.toString("base64").replace(/=+$/, "");
  return whole.slice(shift === 0 ? 0 : shift + 1, whole.length - (bytes.length % 3 === 0 ? 0 : 1));
}
