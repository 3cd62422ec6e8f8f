import { inertLine } from "../telegram/format.ts";
import { decidingChecks, latencyRatio, shownCheck, summary, type ShownCheck } from "./deciding-checks.ts";
import type { CardState } from "./state.ts";
import { explanation, headline, nameOf, origin, progress } from "./words.ts";

/** The parts of a card before any markup is added. All text in them is inert. */
export type CardParts = {
  sign: string;
  name: string;
  headline: string;
  progress: string;
  explanation: string[];
  /** "mood 1.0.0 (production at 1a2b3c4)" or why there is none. */
  baseline: string | null;
  /** The gate has passed and the deployment has begun, so the card may fold the verdict. */
  settled: boolean;
  verdict: string | null;
  checks: ShownCheck[];
  summary: string | null;
  latency: string | null;
  origin: string[];
};

export function partsOf(state: CardState): CardParts {
  const { verdict } = state;
  const { sign, words } = headline(state);
  return {
    sign,
    name: nameOf(state),
    headline: words,
    progress: progress(state),
    explanation: explanation(state),
    baseline:
      verdict === null
        ? null
        : verdict.baseline === null
          ? `none: ${inertLine(verdict.baselineSource, 120)}`
          : `${inertLine(verdict.baseline.version, 40)} (${inertLine(verdict.baselineSource, 80)})`,
    settled: verdict?.verdict === "PASS" && state.phase !== "verdict",
    verdict: verdict === null || state.phase === "verdict" ? null : verdict.verdict,
    checks: verdict === null ? [] : decidingChecks(verdict).map(shownCheck),
    summary: verdict === null ? null : summary(verdict),
    latency: verdict === null ? null : latencyRatio(verdict),
    origin: origin(state),
  };
}
