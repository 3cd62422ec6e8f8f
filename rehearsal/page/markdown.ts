import { Marked } from "marked";

/** The HTML elements that Sluice's own comments use. Any other is shown as text. */
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
 * Converts Sluice's comments and summaries to HTML. Outside text never becomes markup: other elements are shown as
 * text, links lead only to http(s), and images become their alternative text.
 */
export function htmlOfMarkdown(markdown: string): string {
  const html = marked.parse(markdown, { async: false });
  return html.replaceAll("<table>", '<div class="wide"><table>').replaceAll("</table>", "</table></div>");
}
