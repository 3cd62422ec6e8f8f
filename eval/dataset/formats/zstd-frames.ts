type Part = "magic" | "descriptor" | "header" | "block" | "skippable" | "checksum";

/**
 * Follows the frames of a Zstandard stream (RFC 8878) by their headers, to know whether it ends where a frame does.
 * Node's own decompressor ends without an error on a stream that was cut off.
 */
export class ZstdFrames {
  #want: Part = "magic";
  #need = 4;
  #held: number[] = [];
  #skip = 0;
  #checksum = false;
  #frames = 0;

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        this.#skip -= step;
        at += step;
      } else {
        this.#held.push(chunk[at++] as number);
        if (this.#held.length === this.#need) this.#read();
      }
    }
  }

  /** Whether at least one frame was seen, and the last one is whole. */
  isWhole(): boolean {
    return this.#frames > 0 && this.#want === "magic" && this.#held.length === 0 && this.#skip === 0;
  }

  #read(): void {
    const bytes = this.#held;
    this.#held = [];
    const number = bytes.reduce((sum, byte, i) => sum + byte * 2 ** (8 * i), 0);
    switch (this.#want) {
      case "magic":
        this.#frames++;
        return number >>> 4 === 0x184d2a5 ? this.#next("skippable", 4) : this.#next("descriptor", 1);
      case "skippable":
        this.#skip = number;
        return this.#next("magic", 4);
      case "descriptor": {
        const single = (number & 32) !== 0;
        this.#checksum = (number & 4) !== 0;
        const dictionary = [0, 1, 2, 4][number & 3] as number;
        const size = [single ? 1 : 0, 2, 4, 8][number >>> 6] as number;
        const rest = (single ? 0 : 1) + dictionary + size;
        return rest === 0 ? this.#next("block", 3) : this.#next("header", rest);
      }
      case "header":
        return this.#next("block", 3);
      case "block": {
        const isRepeated = ((number >>> 1) & 3) === 1;
        this.#skip = isRepeated ? 1 : number >>> 3;
        if ((number & 1) === 0) return this.#next("block", 3);
        return this.#checksum ? this.#next("checksum", 4) : this.#next("magic", 4);
      }
      case "checksum":
        return this.#next("magic", 4);
    }
  }

  #next(want: Part, need: number): void {
    this.#want = want;
    this.#need = need;
  }
}
