import { Marked } from "marked";

/** HTML elements that Sluice's own comments use; any other is shown as text. */
const ours = /^<\/?(?:details|summary|sub|code|br)\s*\/?>$/;

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

const marked = new Marked({
  gfm: true,
  renderer: {
    html({ text }) {
      return text
        .replaceAll(/<!--[\s\S]*?-->/g, "")
        .replaceAll(/<[^>]*>|[<>]/g, (tag) => (ours.test(tag) ? tag : escapeHtml(tag)));
    },
    link({ href, tokens }) {
      const words = this.parser.parseInline(tokens);
      return /^https?:\/\//.test(href)
        ? `<a href="${escapeHtml(href)}" target="_blank" rel="noreferrer">${words}</a>`
        : words;
    },
    image: ({ text }) => escapeHtml(text),
  },
});

/**
 * Sluice's comments and summaries as HTML. Nothing that comes from outside becomes markup: elements other than our own
 * are shown as text, links lead to http(s) only, images are their words.
 */
export function htmlOfMarkdown(markdown: string): string {
  const html = marked.parse(markdown, { async: false });
  return html.replaceAll("<table>", '<div class="wide"><table>').replaceAll("</table>", "</table></div>");
}
