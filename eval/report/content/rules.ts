import type { ModelVerdict } from "../../schema/verdict.ts";
import { count, counted, significant } from "../text/format.ts";
import { type Glyphs, unicode } from "../text/glyphs.ts";

type RulesEffect = NonNullable<ModelVerdict["rules"]>;

/** What the rules change in words and figures. Ids and versions are text from outside, to be escaped. */
export type RulesText = {
  headline: string;
  rules: { id: string; fired: string; gained: string; lost: string; remark: string }[];
  figures: { metric: string; without: string; withRules: string; difference: string }[];
};

export function rulesText(effect: RulesEffect, glyphs: Glyphs = unicode): RulesText {
  const { version, rows, firedRows, gained, lost, list } = effect;
  const heads = new Set(effect.figures.map(({ head }) => head)).size;
  const value = (number: number | null) => (number === null ? glyphs.dash : significant(number, 4, glyphs));
  return {
    headline: `Rules ${version} fired for ${count(firedRows)} of ${counted(rows, "row")}: ${counted(gained, "answer")} gained, ${count(lost)} lost.`,
    rules: list.map((rule) => ({
      id: rule.id,
      fired: count(rule.fired),
      gained: count(rule.gained),
      lost: count(rule.lost),
      remark: rule.fired === 0 ? "never fired" : rule.fired === rows ? "always fired" : "",
    })),
    figures: effect.figures.map(({ head, metric, unit, without, withRules, interval }) => ({
      metric: `${metric}${heads > 1 ? ` of ${head}` : ""}${unit === "" || unit === "fraction" ? "" : ` (${unit})`}`,
      without: value(without),
      withRules: value(withRules),
      difference:
        without === null || withRules === null
          ? glyphs.dash
          : `${value(withRules - without)}${interval === null ? "" : ` [${value(interval.low)}, ${value(interval.high)}]`}`,
    })),
  };
}
