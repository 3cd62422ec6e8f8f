import type { Plot } from "../plots/size.ts";
import { htmlText } from "../text/escape-html.ts";

/** One plot with its heading, colour key and caption. */
export function figure(plot: Plot, heading: string): string {
  const keys = plot.legend
    .map(({ color, text }) => `<span class="key"><i style="--key:var(--plot-${color})"></i>${htmlText(text)}</span>`)
    .join("");
  return `<figure><figcaption><b>${htmlText(heading)}</b><br>${keys}</figcaption>${plot.svg}<figcaption>${htmlText(plot.caption)}</figcaption></figure>`;
}
