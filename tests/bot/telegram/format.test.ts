import { describe, expect, it } from "vitest";
import { escapeHtml, inert, isLink, linkHtml, truncate, truncateHtml } from "../../../bot/telegram/format.ts";
import { soak } from "./texts.ts";

describe("text from outside", () => {
  it("is escaped", () => expect(escapeHtml('<b> & "q"\u0000\ud800')).toBe("&lt;b&gt; &amp; &quot;q&quot;\ufffd"));
  it.each([
    ["@octocat", "@\u200boctocat"],
    ["/deploy now", "/\u200bdeploy now"],
    ["a/b c", "a/b c"],
    ["#1 #tag", "#\u200b1 #\u200btag"],
    ["https://x.y", "https:\u200b//x.y"],
    ["www.x.y", "www\u200b.x.y"],
    ["\u202eabc", "abc"],
  ])("%j becomes inert: %j", (text, dead) => {
    expect(inert(text)).toBe(dead);
  });
});

describe("cutting", () => {
  it("never splits an emoji, a flag or a surrogate pair", () => {
    expect(truncate("ab👩‍👩‍👧‍👦cd", 10)).toBe("ab…");
    expect(truncate("ab👩‍👩‍👧‍👦cd", 14)).toBe("ab👩‍👩‍👧‍👦…");
    expect(truncate("🇪🇺🇪🇺", 7)).toBe("🇪🇺…");
    expect(truncate("short", 5)).toBe("short");
  });

  it("never splits an entity or a tag, and closes open tags", () => {
    expect(truncateHtml("<b>ab&amp;cd<i>ef</i></b>", 4)).toBe("<b>ab&amp;…</b>");
    expect(truncateHtml("<pre>abc</pre>", 3)).toBe("<pre>abc</pre>");
  });
});

describe("links", () => {
  it.each([
    "javascript:alert(1)",
    "http://localhost:3000/x",
    'https://a.b/"onclick',
    "https://a b.c",
    "//x.y",
    "https://a.b\u0000",
    `https://a.b/${"x".repeat(2000)}`,
  ])("%j is no link", (url) => {
    expect(isLink(url)).toBe(false);
    expect(linkHtml("<x>", url)).toBe("&lt;x&gt;");
  });
  it("https with a query is a link", () =>
    expect(linkHtml("run 5 & more", "https://github.com/a/b?x=1&y=2")).toBe(
      '<a href="https://github.com/a/b?x=1&amp;y=2">run 5 &amp; more</a>',
    ));
});

describe("random texts", () => {
  it("300 of them and 300 cards: nothing split, every request accepted (10,000 of each: tests/bot/telegram/soak.ts)", async () => {
    expect(await soak(300, 7)).toEqual({ texts: expect.any(Number), cards: 300, calls: 900, refused: [] });
  });
});
