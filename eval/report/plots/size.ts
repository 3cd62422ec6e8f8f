/** Size of the small plots in CSS pixels: two side by side on a wide screen, one on a phone. */
export const plotWidth = 440;
export const plotHeight = 320;

/** Margins around the plotting area, for axis names and labels. */
export const plotGrid = { left: 58, right: 16, top: 14, bottom: 48 };

/** A plot with its texts. `legend` names the colours that it uses. */
export type Plot = {
  title: string;
  caption: string;
  svg: string;
  legend: { color: "candidate" | "baseline" | "positive" | "negative"; text: string }[];
};
