/**
 * The Markdown that Sluice's comments are made of, as HTML: headings, tables, fences, lists, quotes, emphasis, code, links, and
 * the few elements that it writes itself. Everything else is text; nothing that comes from outside becomes markup.
 */
export function htmlOfMarkdown(markdown: string): string {
  const lines = markdown.replaceAll(/<!--[\s\S]*?-->/g, "").split("\n");
  const html: string[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length > 0) html.push(`<p>${paragraph.map(inline).join("\n")}</p>`);
    paragraph = [];
  };
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] as string;
    const heading = /^(#{1,6}) +(.+)$/.exec(line);
    const takeWhile = (holds: (one: string) => boolean) => {
      const taken: string[] = [];
      for (; i + 1 < lines.length && holds(lines[i + 1] as string); i += 1) taken.push(lines[i + 1] as string);
      return taken;
    };
    if (line.startsWith("```")) {
      flush();
      html.push(`<pre><code>${escapeHtml(takeWhile((one) => !one.startsWith("```")).join("\n"))}</code></pre>`);
      i += 1;
    } else if (heading !== null) {
      flush();
      const level = (heading[1] as string).length;
      html.push(`<h${level}>${inline(heading[2] as string)}</h${level}>`);
    } else if (line.startsWith("|") && /^\|[\s:|-]+\|\s*$/.test(lines[i + 1] ?? "")) {
      flush();
      i += 1;
      const rows = takeWhile((one) => one.startsWith("|"));
      html.push(`<div class="wide"><table><thead>${row(line, "th")}</thead><tbody>${rows.map((one) => row(one, "td")).join("")}</tbody></table></div>`);
    } else if (/^[-*] /.test(line)) {
      flush();
      html.push(`<ul>${[line, ...takeWhile((one) => /^[-*] /.test(one))].map((one) => `<li>${inline(one.slice(2))}</li>`).join("")}</ul>`);
    } else if (line.startsWith("> ")) {
      flush();
      html.push(`<blockquote>${[line, ...takeWhile((one) => one.startsWith("> "))].map((one) => inline(one.slice(2))).join("<br>")}</blockquote>`);
    } else if (/^<\/?(details|summary)\b/.test(line)) {
      flush();
      html.push(inline(line));
    } else if (line.trim() === "") flush();
    else paragraph.push(line);
  }
  flush();
  return html.join("\n");
}

function row(line: string, tag: "th" | "td"): string {
  const cells = line.trim().replace(/^\|/, "").replace(/\|$/, "").split(/(?<!\\)\|/);
  return `<tr>${cells.map((cell) => `<${tag}>${inline(cell.trim())}</${tag}>`).join("")}</tr>`;
}

const ours = /&lt;(\/?(?:details|summary|sub|sup|code|b|i|br))&gt;/g;

function inline(text: string): string {
  return escapeHtml(text.replaceAll(/\\([\\`*_{}[\]()#+.!|<>~-])/g, (_, sign: string) => `&#${sign.codePointAt(0)};`))
    .replaceAll(/&amp;(#\d{1,6}|#x[\da-f]{1,6}|[a-z]{2,8});/gi, "&$1;")
    .replaceAll(ours, "<$1>")
    .replaceAll(/`([^`]+)`/g, "<code>$1</code>")
    .replaceAll(/\*\*([^*]+)\*\*/g, "<b>$1</b>")
    .replaceAll(/\[([^\]]+)\]\((https?:\/\/[^\s)"]+)\)/g, '<a href="$2" target="_blank" rel="noreferrer">$1</a>');
}

export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
