/** Secrets to hide in a log: each line of a value, and its usual encodings. */
export class Masks {
  #values: string[] = [];

  add(value: string): void {
    for (const line of new Set([value, ...value.split(/\r?\n/)].map((one) => one.trim()))) {
      if (line === "") continue;
      // For a short value, too few characters in base64 are certain to identify it.
      const encoded = line.length < 8 ? [] : [0, 1, 2].map((shift) => base64Core(line, shift));
      for (const form of [line, JSON.stringify(line).slice(1, -1), encodeURIComponent(line), ...encoded])
        if (!this.#values.includes(form)) this.#values.push(form);
    }
    // Longer values first, so that masking a shorter one does not leave the rest of a longer one visible.
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

/** The base64 characters that depend only on the value, whatever comes before and after it. */
function base64Core(value: string, shift: number): string {
  const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)]);
  const whole = bytes.toString("base64").replace(/=+$/, "");
  return whole.slice(shift === 0 ? 0 : shift + 1, whole.length - (bytes.length % 3 === 0 ? 0 : 1));
}
