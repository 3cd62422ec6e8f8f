/**
 * The few characters beyond ASCII that reports use, collected so that a dumb terminal can have all of them replaced.
 */
export type Glyphs = {
  minus: string;
  plusMinus: string;
  atLeast: string;
  atMost: string;
  arrow: string;
  dash: string;
  ellipsis: string;
  dot: string;
  /** Shown after a metric's name: which direction is better. */
  higher: string;
  lower: string;
};

export const unicode: Glyphs = {
  minus: "\u2212",
  plusMinus: "±",
  atLeast: "≥",
  atMost: "≤",
  arrow: "→",
  dash: "—",
  ellipsis: "…",
  dot: "·",
  higher: "↑",
  lower: "↓",
};

export const ascii: Glyphs = {
  minus: "-",
  plusMinus: "+/-",
  atLeast: ">=",
  atMost: "<=",
  arrow: "->",
  dash: "-",
  ellipsis: "...",
  dot: "|",
  higher: "^",
  lower: "v",
};
