import { describe, expect, it } from "vitest";
import type { StoredMessage } from "../../../rehearsal/telegram/state.ts";
import { htmlOfMarkdown } from "../../../rehearsal/page/markdown.ts";
import { htmlOfMessage } from "../../../rehearsal/page/telegram.ts";

const message = (change: Partial<StoredMessage>): StoredMessage => ({
  message_id: 1,
  chat: -1,
  thread: null,
  from: { id: 1, is_bot: true, first_name: "Sluice" },
  date: 0,
  text: null,
  entities: [],
  rich: null,
  photo: null,
  caption: null,
  markup: null,
  replyTo: null,
  silent: false,
  edits: 0,
  pinned: false,
  ...change,
});

describe("the page shows what the services hold", () => {
  it.each([
    ["a heading", "## ✅ PASS: 1 of 1\n\nwords", "<h2>✅ PASS: 1 of 1</h2>\n<p>words</p>"],
    [
      "a table with an escaped bar",
      "| a |\n| --- |\n| <code>x</code>↑ 1 \\| 2 |",
      '<div class="wide"><table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody><tr>\n<td><code>x</code>↑ 1 | 2</td>\n</tr>\n</tbody></table></div>',
    ],
    [
      "what is folded",
      "<details><summary>2 checks</summary>\n\nx\n\n</details>",
      "<details><summary>2 checks</summary><p>x</p>\n</details>",
    ],
    ["a fence", "```sh\nnpx <b> & c\n```", '<pre><code class="language-sh">npx &lt;b&gt; &amp; c\n</code></pre>'],
    [
      "a link",
      "[report](http://127.0.0.1:1/x?a=1)",
      '<p><a href="http://127.0.0.1:1/x?a=1" target="_blank" rel="noreferrer">report</a></p>',
    ],
    ["no comment of HTML's", "<!-- sluice-gate -->\nx", "<p>x</p>"],
    [
      "foreign markup as text",
      '<img src=x onerror="go()"> [x](javascript:go()) ![y](http://z/w.png)',
      "<p>&lt;img src=x onerror=&quot;go()&quot;&gt; x y</p>",
    ],
    ["foreign blocks as text", "<script>\ngo()\n</script>", "&lt;script&gt;\ngo()\n&lt;/script&gt;"],
    ["our elements with attributes as text", "<details open ontoggle=go()>x", "&lt;details open ontoggle=go()&gt;x"],
  ])("Markdown: %s", (_, markdown, html) => {
    expect(htmlOfMarkdown(markdown).trim()).toBe(html);
  });

  it("Telegram: entities, one inside the other, and text that looks like markup", () => {
    const entities = [
      { type: "bold" as const, offset: 2, length: 7 },
      { type: "code" as const, offset: 6, length: 3 },
    ];
    expect(htmlOfMessage(message({ text: "x mood<1> y", entities }))).toBe("x <b>mood<code>&lt;1&gt;</code></b> y");
  });

  it("Telegram: rich blocks", () => {
    const blocks = [
      { type: "heading", size: 4, text: "🟢 mood: live" },
      { type: "paragraph", text: ["Verdict: ", { type: "bold", text: "PASS" }] },
      {
        type: "details",
        summary: "1 check",
        blocks: [
          {
            type: "table",
            cells: [[{ text: "a", is_header: true, align: "left" }], [{ text: "<1", colspan: 2, align: "right" }]],
          },
        ],
      },
    ];
    expect(htmlOfMessage(message({ rich: { blocks } }))).toBe(
      '<h4>🟢 mood: live</h4><p>Verdict: <b>PASS</b></p><details><summary>1 check</summary><div class="wide"><table><tr><th class="left">a</th></tr><tr><td colspan="2" class="right">&lt;1</td></tr></table></div></details>',
    );
  });
});
