/** What makes no difference between two hearings of a word. */
const bare = (word: string) => word.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
const wordsOf = (text: string) => text.split(/\s+/).filter((word) => word !== "");

/**
 * The words of an open segment that are sure: those in which two hearings that follow each other agree, from the start
 * on (LocalAgreement of Liu, Spanakis and Niehues 2020). What was committed is never taken back.
 */
export class AgreedWords {
  #committed: string[] = [];
  #last: string[] = [];

  /**
   * @param text what the model hears in the segment as far as it goes now
   * @returns `committed`: what stays; `text`: that and what may still change
   */
  hear(text: string): { committed: string; text: string } {
    const now = wordsOf(text);
    let agreed = 0;
    while (agreed < Math.min(now.length, this.#last.length) && bare(now[agreed]!) === bare(this.#last[agreed]!))
      agreed++;
    const count = this.#committed.length;
    const goesOn = this.#committed.every((word, i) => i < now.length && bare(word) === bare(now[i]!));
    if (goesOn && agreed > count) this.#committed = [...this.#committed, ...now.slice(count, agreed)];
    this.#last = now;
    const committed = this.#committed.join(" ");
    return {
      committed,
      text: [committed, ...now.slice(this.#committed.length)].filter((part) => part !== "").join(" "),
    };
  }

  /** How many committed words the final text does not have at their places. */
  revisedIn(text: string): number {
    const final = wordsOf(text);
    return this.#committed.filter((word, i) => bare(final[i] ?? "") !== bare(word)).length;
  }
}
