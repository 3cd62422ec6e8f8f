import type { GraphLook } from "../../models/inspect/graph.ts";
import type { ManifestInput } from "../../models/core/manifest/manifest.ts";
import type { Column } from "./columns.ts";
import type { Answers } from "./question.ts";

export type Step = ManifestInput["preprocess"][string];
type HeadInput = ManifestInput["postprocess"][number];

/** How a processor beside the model (preprocessor_config.json) says that pictures are prepared. */
export type ImageFacts = {
  width: number | null;
  height: number | null;
  crop: { width: number; height: number } | null;
  scale: number;
  mean: number[];
  std: number[];
};

/** What the files beside an exported model say: config.json, tokenizer.json, preprocessor_config.json. */
export type Sidecar = {
  tokenizer: { file: string; config: string | null; padId: number; maxTokens: number | null } | null;
  /** Classes in the graph's order, by name. */
  classes: string[] | null;
  /** Architecture, for the description. */
  architecture: string | null;
  image: ImageFacts | null;
};

/** All that is known before anything is run. */
export type Scene = {
  graph: GraphLook;
  columns: readonly Column[];
  sidecar: Sidecar;
  answers: Answers;
};

/** How the rows may become the graph's inputs. */
export type InputPlan = {
  steps: Record<string, Step>;
  /** Graph input → STEP.OUTPUT. */
  from: Record<string, string>;
  /** Columns that are read. */
  reads: string[];
  says: string;
  guess: boolean;
};

/** How the graph's outputs may answer. */
export type HeadPlan = {
  task: ManifestInput["task"];
  head: HeadInput;
  /** Of the head: where its true value stands. */
  labels: { field: string; map?: Record<string, string> };
  says: string;
  guess: boolean;
  /** Order of the classes is a guess, so the reverse is as likely before the model has run. */
  orderGuessed: boolean;
};

/** What the graph needs and cannot get. */
export class Lacking extends Error {
  readonly lacks: string[];
  constructor(lacks: string[]) {
    super(lacks.join("; "));
    this.lacks = lacks;
  }
}
