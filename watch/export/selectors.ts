import type { Slo } from "../../models/core/manifest/slo.ts";

/** A model whose live series are exported, and what it promises. */
export type ExportedModel = { model: string; slo: Slo };

/**
 * Label matchers of one series in PromQL.
 *
 * @param own such as `status=~"5.."` @param match what the user puts before all, such as `job="production"`
 */
export type Matchers = (...own: readonly string[]) => string;

export function matchersOf(models: readonly ExportedModel[], match: string): Matchers {
  // An id has letters, digits, '.', '_' and '-': only the dot means something in a regular expression.
  const which = `model=~"${models.map(({ model }) => model.replaceAll(".", String.raw`\\.`)).join("|")}"`;
  return (...own) => `{${[match, which, ...own].filter((one) => one !== "").join(",")}}`;
}
