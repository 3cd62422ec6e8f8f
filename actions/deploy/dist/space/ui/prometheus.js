/**
 * The part of Prometheus' text format that this page needs.
 * @typedef {{ name: string, labels: Record<string, string>, value: number }} Sample
 */

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*$/;
const LABEL = /\s*([A-Za-z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?/y;

/**
 * @param {string} text
 * @returns {Sample[]} lines that are not samples are left out
 */
export function parseMetrics(text) {
  return text.split("\n").flatMap((line) => {
    if (line === "" || line.startsWith("#")) return [];
    const found = LINE.exec(line);
    if (found === null) return [];
    const [, name = "", labels = "", value = ""] = found;
    return [
      {
        name,
        labels: parseLabels(labels),
        value: value === "+Inf" ? Infinity : value === "-Inf" ? -Infinity : Number(value),
      },
    ];
  });
}

/** @param {string} text @returns {Record<string, string>} */
function parseLabels(text) {
  /** @type {Record<string, string>} */
  const labels = {};
  LABEL.lastIndex = 0;
  for (let found = LABEL.exec(text); found !== null; found = LABEL.exec(text)) {
    const [, name = "", value = ""] = found;
    labels[name] = value.replaceAll(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));
  }
  return labels;
}

/**
 * Cumulative histogram: upper bound → number of observations up to it, over all matching series, ascending.
 * @typedef {{ bound: number, count: number }[]} Buckets
 */

/**
 * @param {readonly Sample[]} samples
 * @param {string} name of the histogram, without `_bucket`
 * @param {Record<string, string>} [labels] that must be there
 * @returns {Buckets} empty when there is no such histogram
 */
export function buckets(samples, name, labels = {}) {
  /** @type {Map<number, number>} */
  const sums = new Map();
  for (const sample of samples) {
    if (sample.name !== `${name}_bucket` || !fits(sample, labels)) continue;
    const bound = sample.labels["le"] === "+Inf" ? Infinity : Number(sample.labels["le"]);
    sums.set(bound, (sums.get(bound) ?? 0) + sample.value);
  }
  return [...sums].map(([bound, count]) => ({ bound, count })).sort((a, b) => a.bound - b.bound);
}

/**
 * @param {readonly Sample[]} samples
 * @param {string} name
 * @param {Record<string, string>} [labels]
 * @returns {number | null} sum over all matching series; null when there are none
 */
export function total(samples, name, labels = {}) {
  const found = samples.filter((sample) => sample.name === name && fits(sample, labels));
  return found.length === 0 ? null : found.reduce((sum, { value }) => sum + value, 0);
}

/** @param {Sample} sample @param {Record<string, string>} labels */
function fits(sample, labels) {
  return Object.entries(labels).every(([name, value]) => sample.labels[name] === value);
}

/**
 * What was observed between two readings. A counter that fell (the server restarted) counts from zero.
 * @param {Buckets} before
 * @param {Buckets} after
 * @returns {Buckets}
 */
export function between(before, after) {
  const last = after.at(-1);
  const restarted = last !== undefined && (before.at(-1)?.count ?? 0) > last.count;
  return after.map(({ bound, count }) => ({
    bound,
    count: restarted ? count : count - (before.find((one) => one.bound === bound)?.count ?? 0),
  }));
}

/**
 * The quantile by linear interpolation inside its bucket, as Prometheus' histogram_quantile does it.
 * @param {Buckets} observed
 * @param {number} q 0..1
 * @returns {number | null} in the histogram's unit; null without observations
 */
export function quantile(observed, q) {
  const all = observed.at(-1)?.count ?? 0;
  if (all <= 0) return null;
  const rank = q * all;
  const i = observed.findIndex(({ count }) => count >= rank);
  const bucket = observed[i];
  const below = observed[i - 1] ?? { bound: 0, count: 0 };
  if (bucket === undefined) return null;
  if (!Number.isFinite(bucket.bound)) return below.bound;
  const inside = bucket.count - below.count;
  return inside <= 0 ? bucket.bound : below.bound + (bucket.bound - below.bound) * ((rank - below.count) / inside);
}
