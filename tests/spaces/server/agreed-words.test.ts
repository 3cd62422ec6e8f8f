import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AgreedWords } from "../../../spaces/server/speech/agreed-words.ts";

describe("agreed words", () => {
  it("are those that two hearings share from the start, whatever their case and marks", () => {
    const words = new AgreedWords();
    expect(words.hear("And so my fell")).toEqual({ committed: "", text: "And so my fell" });
    expect(words.hear("and so my fellow Americans,")).toEqual({
      committed: "and so my",
      text: "and so my fellow Americans,",
    });
    expect(words.hear("And so, my fellow Americans ask")).toEqual({
      committed: "and so my fellow Americans",
      text: "and so my fellow Americans ask",
    });
    expect(words.revisedIn("And so my fellow Americans: ask not")).toBe(0);
    expect(words.revisedIn("And so my fallow Americans")).toBe(1);
  });

  it("stay when a later hearing has others, and nothing is committed beyond them then", () => {
    const words = new AgreedWords();
    words.hear("one two");
    words.hear("one two three");
    expect(words.hear("nine two three four").committed).toBe("one two");
    expect(words.hear("nine two three four").committed).toBe("one two");
    expect(words.revisedIn("")).toBe(2);
  });

  it("are never taken back, whatever is heard", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.constantFrom("a", "b", "c."), { maxLength: 6 })), (hearings) => {
        const words = new AgreedWords();
        let before = "";
        for (const hearing of hearings) {
          const { committed, text } = words.hear(hearing.join(" "));
          expect(`${committed} `.startsWith(before === "" ? "" : `${before} `)).toBe(true);
          expect(text.startsWith(committed)).toBe(true);
          before = committed;
        }
      }),
    );
  });
});
