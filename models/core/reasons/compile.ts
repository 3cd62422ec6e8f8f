import { ConfigurationError } from "../errors.ts";
import { positiveLabel } from "../postprocess/classification.ts";
import type { HeadResult } from "../postprocess/result.ts";
import type { Head } from "../postprocess/schema.ts";
import type { PreprocessStep } from "../preprocess/schema.ts";
import type { FeatureReason } from "../rules/reasons.ts";
import type { GraphTensor } from "../tensors.ts";
import { featureColumns } from "./feature-columns.ts";
import { pathContributions } from "./path-contributions.ts";
import { reasonsHead } from "./issues.ts";
import type { ModelReasons } from "./schema.ts";
import { readTreeEnsemble, type NoEnsemble, type TreeEnsemble } from "./tree-ensemble.ts";

/** What of a manifest reasons depend on. */
type Explained = {
  reasons?: ModelReasons | undefined;
  inputs: readonly { name: string; shape: readonly (number | string)[]; from: string }[];
  preprocess: Readonly<Record<string, PreprocessStep>>;
  postprocess: readonly Head[];
};

export type CompiledReasons = {
  /** @param heads the answer, after the rules */
  wanted(heads: Readonly<Record<string, HeadResult>>): boolean;
  /**
   * @param feeds of the run that the row was in
   * @param index the row's place in it
   * @returns the features with the largest contributions, first the largest
   */
  of(feeds: Readonly<Record<string, GraphTensor>>, index: number): FeatureReason[];
};

/**
 * Reads the trees of a graph for the reasons that model.yaml asks for.
 *
 * @param bytes of the ONNX file
 * @param place of `reasons` in model.yaml
 * @returns null where no reasons are declared
 * @throws ConfigurationError where they cannot be computed from this graph
 */
export function compileReasons(manifest: Explained, bytes: Uint8Array, place: () => string): CompiledReasons | null {
  const { reasons } = manifest;
  if (reasons === undefined) return null;
  const refuse = ({ problem, received, hint }: NoEnsemble, cause?: unknown) =>
    new ConfigurationError(
      {
        code: "reasons-graph",
        place: place(),
        problem,
        expected:
          "one TreeEnsembleRegressor with one target, on an input of the graph, with training rows in nodes_hitrates",
        received,
        ...(hint === undefined ? {} : { hint }),
      },
      { cause },
    );
  const ensemble = ((): TreeEnsemble | NoEnsemble => {
    try {
      return readTreeEnsemble(bytes);
    } catch (error) {
      throw refuse({ problem: "the graph cannot be read for reasons", received: (error as Error).message }, error);
    }
  })();
  if ("problem" in ensemble) throw refuse(ensemble);
  const input = manifest.inputs.find(({ name }) => name === ensemble.input);
  if (input === undefined)
    throw refuse({ problem: "the trees do not read an input of the graph", received: ensemble.input });
  const width = input.shape.slice(1).reduce<number>((product, size) => product * Number(size), 1);
  const split = ensemble.trees.flat().find((node) => node.kind === "split" && node.feature >= width);
  if (!Number.isInteger(width) || split !== undefined)
    throw refuse({
      problem: `a split reads a feature that ${input.name} does not have`,
      received: `${width} features`,
    });
  const [stepName] = input.from.split(".") as [string];
  const columns = featureColumns(stepName, manifest.preprocess[stepName]!, width);
  const paths = pathContributions(ensemble);
  const head = reasonsHead(reasons, manifest.postprocess)!;
  const positive = head.kind === "classification" ? positiveLabel(head) : null;
  return {
    wanted(heads) {
      if (reasons.answers === "all") return true;
      const answer = heads[head.name];
      return answer?.kind === "classification" && answer.label === positive;
    },
    of(feeds, index) {
      const { data } = feeds[input.name]!;
      const from = index * width;
      const added = new Float64Array(width);
      paths.add(data as Float32Array, from, added);
      return columns
        .map((column) => {
          let contribution = 0;
          for (let i = 0; i < column.width; i++) contribution += added[column.from + i]!;
          return { column, contribution };
        })
        .filter(({ contribution }) => contribution !== 0)
        .toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
        .slice(0, reasons.top)
        .map(({ column, contribution }): FeatureReason => ({
          feature: column.name,
          ...(column.valueOf === undefined ? {} : { value: column.valueOf(data as Float32Array, from + column.from) }),
          contribution: Number(contribution.toPrecision(4)),
        }));
    },
  };
}
