/**
 * What other tools call the things that Sluice names, in the form that `plain` gives → Sluice's names. A name that means
 * several things has several; the first that is known at a place is meant there.
 */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  // metrics
  auc: ["auroc"],
  auc_roc: ["auroc"],
  roc_auc: ["auroc"],
  roc_auc_score: ["auroc"],
  ap: ["average_precision"],
  pr_auc: ["average_precision"],
  auprc: ["average_precision"],
  average_precision_score: ["average_precision"],
  logloss: ["log_loss"],
  neg_log_loss: ["log_loss"],
  nll: ["log_loss"],
  bce: ["log_loss"],
  cross_entropy: ["log_loss"],
  brier_score: ["brier"],
  brier_score_loss: ["brier"],
  expected_calibration_error: ["ece"],
  calibration_error: ["ece"],
  acc: ["accuracy"],
  accuracy_score: ["accuracy"],
  precision_score: ["precision"],
  ppv: ["precision"],
  recall_score: ["recall"],
  sensitivity: ["recall"],
  tpr: ["recall"],
  fall_out: ["false_positive_rate"],
  f1_score: ["f1"],
  f_score: ["f1"],
  f_measure: ["f1"],
  l1: ["mae"],
  mean_absolute_error: ["mae"],
  mse: ["rmse"],
  l2: ["rmse"],
  mean_squared_error: ["rmse"],
  root_mean_squared_error: ["rmse"],
  r2_score: ["r2"],
  r_squared: ["r2"],
  medae: ["median_absolute_error"],
  mean_absolute_percentage_error: ["mape"],
  ndcg: ["ndcg_at_k"],
  ndcg_cut: ["ndcg_at_k"],
  map: ["map_at_k"],
  map_cut: ["map_at_k"],
  mean_average_precision: ["map_at_k"],
  mean_reciprocal_rank: ["mrr"],
  recip_rank: ["mrr"],
  hit_rate: ["hit_rate_at_k"],
  hit_ratio: ["hit_rate_at_k"],
  success: ["hit_rate_at_k"],
  coverage: ["coverage_at_k"],
  sacrebleu: ["bleu"],
  chrf2: ["chrf"],
  span_f1: ["entity_f1"],
  ner_f1: ["entity_f1"],
  word_error_rate: ["wer"],
  character_error_rate: ["cer"],
  latency: ["latency_p50_ms"],
  latency_ms: ["latency_p50_ms"],
  p50: ["latency_p50_ms"],
  p95: ["latency_p95_ms"],
  p99: ["latency_p99_ms"],
  throughput: ["throughput_rows_s"],
  qps: ["throughput_rows_s"],
  tokens_per_second: ["throughput_tokens_s"],
  ttft: ["time_to_first_token_ms"],
  real_time_factor: ["rtf"],
  memory: ["peak_rss_bytes"],
  rss: ["peak_rss_bytes"],
  size: ["model_bytes", "shape"],
  model_size: ["model_bytes"],
  startup: ["cold_start_ms"],
  // tasks
  classification: ["binary-classification", "multiclass-classification"],
  binary: ["binary-classification"],
  multiclass: ["multiclass-classification"],
  multi_class: ["multiclass-classification"],
  multi_class_classification: ["multiclass-classification"],
  regressor: ["regression"],
  forecast: ["forecasting"],
  time_series: ["forecasting"],
  recommendation: ["ranking"],
  asr: ["speech-to-text"],
  // words of a manifest
  identity: ["none", "number"],
  linear: ["none"],
  logistic: ["sigmoid"],
  onehot: ["one-hot"],
  standard: ["standardize"],
  standard_scaler: ["standardize"],
  zscore: ["standardize"],
  minmax: ["min-max"],
  min_max_scaler: ["min-max"],
  float: ["float32", "number"],
  double: ["float64"],
  long: ["int64"],
  int: ["int64"],
  threshold: ["limit"],
  absolute: ["limit"],
  noninferiority: ["non-inferiority"],
  // keys of a manifest
  classes: ["labels", "categories"],
  class_names: ["labels"],
  target_names: ["labels"],
  target: ["labels", "field"],
  label: ["labels", "field"],
  file: ["path", "files"],
  filename: ["path"],
  hash: ["sha256"],
  digest: ["sha256"],
  checksum: ["sha256"],
  repo: ["hub"],
  tolerance: ["margin"],
  delta: ["margin"],
  minimum: ["min"],
  at_least: ["min"],
  maximum: ["max"],
  at_most: ["max"],
  cutoff: ["threshold"],
  fpr: ["false_positive_rate", "at"],
  slice: ["slices"],
  groups: ["group"],
  weights: ["weight", "artifact"],
  output: ["from", "outputs"],
  input: ["from", "inputs"],
  type: ["kind", "dtype"],
  data: ["dataset"],
  tests: ["checks"],
};

/**
 * The known name that was most likely meant, or null if none is near: another tool's name for it, the same name in
 * another spelling, else the closest by edit distance, which may be a third of the typed length, or 1 if that is
 * more.
 */
export function didYouMean(typed: string, known: readonly string[]): string | null {
  const text = typed.slice(0, 64).toLowerCase();
  const others = Object.hasOwn(otherNames, plain(text)) ? (otherNames[plain(text)] ?? []) : [];
  const other = others.find((name) => known.includes(name));
  const same = known.find((name) => plain(name.toLowerCase()) === plain(text));
  if (same !== undefined || other !== undefined) return same ?? other ?? null;
  const allowed = Math.max(1, Math.floor(typed.length / 3));
  let best: string | null = null;
  let least = allowed + 1;
  for (const name of known) {
    const distance = editDistance(text, name.toLowerCase());
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

const plain = (name: string) => name.replaceAll(/[^a-z0-9]+/g, "_");

/** Levenshtein distance, in which two neighbours that changed places count once (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : Infinity;
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, replaced, swapped));
    }
    [before, previous] = [previous, current];
  }
  return previous[b.length]!;
}
