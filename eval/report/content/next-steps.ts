import type { Check, ModelVerdict } from "../../schema/verdict.ts";
import { hasNoBaseline } from "./check-word.ts";
import { sluiceCommand } from "../../../models/core/invocation.ts";

/**
 * What the reader of a verdict does next, in a few sentences, the most likely first. Empty for a PASS that leaves
 * nothing to do. Texts from outside stand between back-quotes.
 */
export function nextSteps(model: ModelVerdict): string[] {
  const { verdict, checks } = model;
  const fromFiles = model.model.version === "file";
  const id = model.model.id;
  const deciding = checks.filter((check) => !check.advisory);
  const of = (word: Check["verdict"]) => deciding.filter((check) => check.verdict === word);
  const changed =
    model.policyChanges.length === 0 ? [] : ["The changed settings count once they are on the base branch."];
  const steps: string[] = [];
  switch (verdict) {
    case "PASS":
      if (checks.some(hasNoBaseline))
        steps.push(
          "Nothing now: this is a first version, and the checks against a baseline decide from the next one on.",
        );
      break;
    case "ERROR":
      steps.push(
        of("ERROR").length > 0
          ? "Give the checks that are ERROR what their reasons ask for, or take them out of the gate."
          : `Repair what the reason names${fromFiles ? "" : `; \`${sluiceCommand()} doctor\` opens every model and runs an example`}.`,
      );
      break;
    case "FAIL":
      if (!fromFiles)
        steps.push(
          `Look at the rows where the two models differ: predictions/${id}/ holds both models' answers, row by row.`,
        );
      if (of("FAIL").some((check) => check.slice !== "all"))
        steps.push("Start with the slices that fail: they say which rows became worse.");
      if (!fromFiles)
        steps.push(
          "A loss that the team accepts needs a waiver with a reason and an end, on the base branch (waivers.yaml).",
        );
      break;
    case "INCONCLUSIVE":
      steps.push(
        deciding.length === 0
          ? "Add a check that can decide without a baseline: a limit."
          : fromFiles
            ? "Predict more rows, or decide on a wider margin."
            : `Add rows, or decide on a wider margin: \`${sluiceCommand()} plan ${id}\` says how many rows, and which margin, each check needs.`,
      );
      if (!fromFiles && of("INCONCLUSIVE").some((check) => check.metric.startsWith("latency_")))
        steps.push("Latency that stays undecided needs a quieter machine, or more time.");
      break;
    case "INCOMPARABLE":
      steps.push(
        fromFiles
          ? "Make both files from the same rows."
          : "Bring both models onto the same task, rows and machine first: merge the change of data by itself, then the model.",
      );
      break;
  }
  return [...steps, ...changed];
}
