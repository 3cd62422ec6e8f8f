/** The few signs beyond ASCII that reports use, so that a dumb terminal can have all of them replaced at once. */
export type Glyphs = {
  minus: string;
  plusMinus: string;
  atLeast: string;
  atMost: string;
  arrow: string;
  dash: string;
  ellipsis: string;
  dot: string;
  /** After a metric's name: which way is better. */
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
