import type { Metric, Registry } from "prom-client";

/**
 * Series for a prom-client registry whose observations cost only tens of nanoseconds. Several are made per row, and the
 * library's own series build a string of all labels each time. Names, types and text output are the library's.
 */
type Labels<L extends string> = Readonly<Record<L, string | number>>;
type Sample = { metricName?: string; labels: Record<string, string | number>; value: number };

export type CountSeries<L extends string> = { inc(labels: Labels<L>, by?: number): void };
export type ObservedSeries<L extends string> = { observe(labels: Labels<L>, value: number): void };

type Described<L extends string> = { name: string; help: string; labelNames: readonly L[] };

/** One cell per combination of label values, found without building a string. */
function cells<L extends string, C>(labelNames: readonly L[], make: (labels: Labels<L>) => C) {
  const all: C[] = [];
  const first = new Map<string | number, unknown>();
  const last = labelNames.length - 1;
  return {
    all,
    of(labels: Labels<L>): C {
      let level = first;
      for (let i = 0; i < last; i++) {
        const value = labels[labelNames[i]!];
        let next = level.get(value) as Map<string | number, unknown> | undefined;
        if (next === undefined) level.set(value, (next = new Map()));
        level = next;
      }
      const value = labels[labelNames[last]!];
      let cell = level.get(value) as C | undefined;
      if (cell === undefined) {
        cell = make(labels);
        all.push(cell);
        level.set(value, cell);
      }
      return cell;
    },
  };
}

function register(
  registry: Registry,
  type: "counter" | "histogram" | "summary",
  { name, help }: { name: string; help: string },
  samples: () => Sample[],
): void {
  registry.registerMetric({
    name,
    help,
    get: async () => ({ name, help, type, aggregator: "sum", values: samples() }),
  } as unknown as Metric);
}

const own = <L extends string>(labels: Labels<L>, names: readonly L[]) =>
  Object.fromEntries(names.map((name) => [name, labels[name]])) as Record<string, string | number>;

export function countSeries<L extends string>(registry: Registry, described: Described<L>): CountSeries<L> {
  const found = cells(described.labelNames, (labels) => ({ labels: own(labels, described.labelNames), value: 0 }));
  register(registry, "counter", described, () => found.all);
  return {
    inc(labels, by = 1) {
      found.of(labels).value += by;
    },
  };
}

/** @param bounds upper bounds of the buckets, ascending; +Inf is added. */
export function histogramSeries<L extends string>(
  registry: Registry,
  described: Described<L>,
  bounds: readonly number[],
): ObservedSeries<L> {
  const found = cells(described.labelNames, (labels) => ({
    labels: own(labels, described.labelNames),
    counts: new Float64Array(bounds.length + 1),
    sum: 0,
  }));
  register(registry, "histogram", described, () =>
    found.all.flatMap(({ labels, counts, sum }) => {
      let below = 0;
      const buckets = [...bounds, "+Inf"].map((le, i) => ({
        metricName: `${described.name}_bucket`,
        labels: { le, ...labels },
        value: (below += counts[i]!),
      }));
      return [
        ...buckets,
        { metricName: `${described.name}_sum`, labels, value: sum },
        { metricName: `${described.name}_count`, labels, value: below },
      ];
    }),
  );
  return {
    observe(labels, value) {
      const cell = found.of(labels);
      let i = 0;
      while (i < bounds.length && !(value <= bounds[i]!)) i++;
      cell.counts[i]!++;
      cell.sum += value;
    },
  };
}

const WINDOWS = 10;
/** Number of values kept per window. */
const KEPT = 512;

type Window = { from: number; seen: number; values: Float64Array };

/**
 * Quantiles over the last ten time windows, from a uniform sample of each (Vitter's algorithm R, 1985). Sum and count
 * cover everything since the start.
 *
 * @param windowMs length of one window.
 */
export function quantileSeries<L extends string>(
  registry: Registry,
  described: Described<L>,
  quantiles: readonly number[],
  windowMs: number,
  deps: { now: () => number; random: () => number } = { now: () => performance.now(), random: Math.random },
): ObservedSeries<L> {
  const found = cells(described.labelNames, (labels) => ({
    labels: own(labels, described.labelNames),
    sum: 0,
    count: 0,
    windows: [] as Window[],
  }));
  register(registry, "summary", described, () =>
    found.all.flatMap(({ labels, sum, count, windows }) => [
      ...quantilesOf(
        windows.filter(({ from }) => from > deps.now() - WINDOWS * windowMs),
        quantiles,
      ).map((value, i) => ({ labels: { quantile: quantiles[i]!, ...labels }, value })),
      { metricName: `${described.name}_sum`, labels, value: sum },
      { metricName: `${described.name}_count`, labels, value: count },
    ]),
  );
  return {
    observe(labels, value) {
      const cell = found.of(labels);
      cell.sum += value;
      cell.count++;
      const now = deps.now();
      let current = cell.windows.at(-1);
      if (current === undefined || now - current.from >= windowMs) {
        const old = cell.windows.length < WINDOWS ? undefined : cell.windows.shift();
        cell.windows.push((current = { from: now, seen: 0, values: old?.values ?? new Float64Array(KEPT) }));
      }
      const at = current.seen < KEPT ? current.seen : Math.floor(deps.random() * (current.seen + 1));
      if (at < KEPT) current.values[at] = value;
      current.seen++;
    },
  };
}

/**
 * Each kept value is weighted, so that a window's sample stands for all values of that window. Empty without values.
 */
function quantilesOf(windows: readonly Window[], quantiles: readonly number[]): number[] {
  const weighted = windows
    .flatMap(({ seen, values }) =>
      Array.from(values.subarray(0, Math.min(seen, KEPT)), (value) => ({ value, weight: seen / Math.min(seen, KEPT) })),
    )
    .sort((a, b) => a.value - b.value);
  if (weighted.length === 0) return [];
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  return quantiles.map((quantile) => {
    let below = 0;
    return (weighted.find(({ weight }) => (below += weight) >= quantile * total) ?? weighted.at(-1)!).value;
  });
}
