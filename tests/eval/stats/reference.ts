import { readFileSync } from "node:fs";

/**
 * Values computed by SciPy, scikit-learn, pROC and boot; `fixtures/reference.py` and `fixtures/reference.R` produce
 * them.
 */
export const python = read("reference.json") as PythonReference;
export const r = read("reference-r.json") as RReference;

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8"));
}

/** Relative difference, absolute below 1. */
export function difference(received: number, expected: number): number {
  return Math.abs(received - expected) / Math.max(1, Math.abs(expected));
}

/** Relative difference, whatever the size. */
export function relativeDifference(received: number, expected: number): number {
  return received === expected ? 0 : Math.abs(received / expected - 1);
}

type Values = Record<string, number>;
export type PythonReference = {
  distributions: Record<"normal_quantile" | "normal_cdf" | "log_gamma", number[][]>;
  wilson: { successes: number; trials: number; level: number; low: number; high: number }[];
  tango90: { counts: [number, number, number, number]; level: number; low: number; high: number }[];
  xoshiro: { seed: number; stream: number; outputs: number[] }[];
  binary: {
    input: { y: number[]; a: number[]; b: number[]; w: number[]; groups: number[] };
    plain: Values;
    weighted: Values;
    brunner_munzel: Values & { df: number };
  };
  multiclass: { input: { y: number[]; p: number[][]; w: number[] }; plain: Values; weighted: Values };
  regression: {
    input: { y: number[]; a: number[]; b: number[]; w: number[] };
    plain: Values;
    weighted: Values;
    mae_contrast_bca90: [number, number];
    mae_contrast_se: number;
  };
};
export type RReference = {
  delong: {
    auc_a: number;
    auc_b: number;
    var_a: number;
    var_b: number;
    cov: number;
    z: number;
    ci90: [number, number];
    partial_raw: number;
    partial_corrected: number;
  };
  abc90: Record<"mean" | "ratio" | "rmse", [number, number]>;
  bca: {
    replicates: number[];
    estimate: number;
    acceleration: number;
    influence: number[];
    bca90: [number, number];
    percentile90: [number, number];
  };
  holm: { p: number[]; adjusted: number[] };
  quantile: { values: number[]; p: number[]; type7: number[] };
  mcnemar: { counts: [number, number, number, number]; chi2: number };
  student: Record<"cdf" | "quantile" | "beta", number[][]>;
};
