/** One sample of Prometheus' text format. */
export type MetricSample = { name: string; labels: Readonly<Record<string, string>>; value: number };

/** The samples of /metrics (Prometheus exposition format 0.0.4). Lines of another form are left out. */
export function parseMetrics(text: string): MetricSample[] {
  return text.split("\n").flatMap((line): MetricSample[] => {
    const [, name, labels = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*$/.exec(line) ?? [];
    if (name === undefined) return [];
    const read = value === "+Inf" ? Infinity : value === "-Inf" ? -Infinity : Number(value);
    return [{ name, labels: labelsOf(labels), value: read }];
  });
}

function labelsOf(text: string): Record<string, string> {
  const escapes: Record<string, string> = { n: "\n" };
  return Object.fromEntries(
    [...text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, key, value]) => [
      key!,
      value!.replaceAll(/\\(.)/g, (_, character: string) => escapes[character] ?? character),
    ]),
  );
}

/** Sum of the samples of one series with these labels; null where there is none. */
export function sumOf(
  samples: readonly MetricSample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  const found = samples.filter(
    (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  );
  return found.length === 0 ? null : found.reduce((sum, { value }) => sum + value, 0);
}
