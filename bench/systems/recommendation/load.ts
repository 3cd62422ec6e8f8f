import { quantile } from "../../../eval/stats/quantile.ts";
import type { Request } from "./manifests.ts";

export type Load = { p50: number; p95: number; maxMs: number; usersPerSecond: number; failures: number };

/**
 * Asks a server for lists, each lane one request after the other.
 *
 * @param batch users in a request; 1: /predict
 */
export async function load(
  url: string,
  requests: readonly Request[],
  { lanes, batch = 1, signal }: { lanes: number; batch?: number; signal?: AbortSignal },
): Promise<Load> {
  const parts: Request[][] = [];
  for (let i = 0; i + batch <= requests.length; i += batch) parts.push(requests.slice(i, i + batch));
  const times: number[] = [];
  let [next, failures, answered] = [0, 0, 0];
  const began = performance.now();
  // Without a signal every request is made once; with one they are made over and over.
  const isOver = () => (signal === undefined ? next >= parts.length : signal.aborted);
  const lane = async () => {
    while (!isOver()) {
      const part = parts[next++ % parts.length]!;
      const start = performance.now();
      const response = await fetch(url + (batch === 1 ? "/predict" : "/models/catalogue/predict/batch"), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(batch === 1 ? part[0] : { rows: part }),
      });
      const text = await response.text();
      times.push(performance.now() - start);
      if (response.status === 200 && text.split('"id":').length > 20 * batch) answered += batch;
      else failures++;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const seconds = (performance.now() - began) / 1000;
  return {
    p50: quantile(times, 0.5),
    p95: quantile(times, 0.95),
    maxMs: Math.max(...times),
    usersPerSecond: answered / seconds,
    failures,
  };
}
