/**
 * Colours of the plots. Each is a placeholder for a CSS variable, because ECharts needs real colours and one SVG must
 * serve light and dark. No other colour may appear in a plot.
 */
export const palette = {
  text: "#a50001",
  faint: "#a50002",
  grid: "#a50003",
  surface: "#a50004",
  candidate: "#a50005",
  baseline: "#a50006",
  positive: "#a50007",
  negative: "#a50008",
  PASS: "#a50011",
  FAIL: "#a50012",
  INCONCLUSIVE: "#a50013",
  INCOMPARABLE: "#a50014",
  ERROR: "#a50015",
  none: "none",
} as const;

/** The SVG with every placeholder colour in `fill` and `stroke` replaced by `var(--plot-NAME)`. Text is left alone. */
export function withVariables(svg: string): string {
  const names = new Map<string, string>(Object.entries(palette).map(([name, color]) => [color, name]));
  return svg.replace(/(fill|stroke)="(#a500[0-9a-f]{2})"/g, (whole, attribute: string, color: string) => {
    const name = names.get(color);
    return name === undefined ? whole : `${attribute}="var(--plot-${name})"`;
  });
}
