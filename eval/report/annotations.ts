import type { Check, VerdictFile } from "../schema/verdict.ts";

/** GitHub shows the first ten errors of a step and drops the others silently. */
const maxShown = 10;

export type Annotation = {
  level: "error" | "warning";
  title: string;
  message: string;
  file: string | null;
  line: number | null;
};

/**
 * One annotation per check that did not pass, on the line of model.yaml that declares it. A model that is not PASS
 * without such a check (ERROR, INCOMPARABLE) gets one of its own. When there are more than GitHub shows, the tenth says
 * so.
 */
export function annotationsOf(verdict: VerdictFile): Annotation[] {
  const all = verdict.models.flatMap((model) => {
    const failed = model.checks.filter((check) => check.verdict !== "PASS" && !check.advisory);
    if (failed.length > 0) return failed.map((check) => ofCheck(model.model.id, check));
    return model.verdict === "PASS"
      ? []
      : [
          {
            level: "error" as const,
            title: `${model.model.id}: ${model.verdict}`,
            message: model.reason,
            file: null,
            line: null,
          },
        ];
  });
  if (all.length <= maxShown) return all;
  const rest = all.length - (maxShown - 1);
  return [
    ...all.slice(0, maxShown - 1),
    {
      level: "error",
      title: "and more",
      message: `${rest} more checks did not pass; see the step summary`,
      file: null,
      line: null,
    },
  ];
}

function ofCheck(model: string, check: Check): Annotation {
  return {
    level: "error",
    title: `${model}: ${check.metric}${check.slice === "all" ? "" : ` on ${check.slice}`} ${check.verdict}`,
    message: check.reason,
    file: check.declaredAt?.file ?? null,
    line: check.declaredAt?.line ?? null,
  };
}
