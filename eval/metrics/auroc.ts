import { aurocComponents } from "../stats/deLong.ts";
import { classificationTasks, type MetricDefinition, type Sample } from "./definition.ts";
import { type Components, influenceDefinition } from "./influence-metric.ts";

/**
 * AUROC with each row's contribution. For more than two classes, the mean over one-vs-rest AUROCs and contributions.
 */
function components({ labels, scores, classCount, weights }: Sample): Components {
  if (classCount === 2) {
    const { auroc: value, influence } = aurocComponents(scores, labels, weights);
    return { value, influence };
  }
  const influence = new Float64Array(labels.length);
  let value = 0;
  for (let c = 0; c < classCount; c++) {
    const one = aurocComponents(
      labels.map((_, i) => scores[i * classCount + c] as number),
      labels.map((label) => (label === c ? 1 : 0)),
      weights,
    );
    value += one.auroc / classCount;
    for (let i = 0; i < influence.length; i++)
      influence[i] = (influence[i] as number) + (one.influence[i] as number) / classCount;
  }
  return { value, influence };
}

/**
 * Area under the ROC curve: P(score of a positive > score of a negative), ties one half; [0, 1], higher is better. Any
 * finite scores; weights allowed. More than two classes: the unweighted mean over one-vs-rest AUROCs (macro), undefined
 * unless all occur.
 *
 * Interval: DeLong's variance with Welch-Satterthwaite degrees of freedom (Brunner and Munzel 2000), on the logit scale
 * for one AUROC and symmetric for the paired difference, lengthened where the contributions are skewed; with clusters
 * Obuchowski's variance and t over clusters. Degrees of freedom and variance allow for uneven weights and clusters. A
 * variance of 0 gives the conservative bound of `sameKernelInterval`. Values as pROC's auc and scikit-learn's
 * roc_auc_score(average="macro", multi_class="ovr").
 */
export const auroc: MetricDefinition = influenceDefinition(
  {
    name: "auroc",
    tasks: classificationTasks,
    direction: "higher",
    unit: "",
    range: [0, 1],
    defaultOptions: {},
  },
  { method: { rows: "DeLong", clusters: "Obuchowski" }, skewness: { from: 0.02, factor: 1.5 }, components },
);
