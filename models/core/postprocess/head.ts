import type { Dtype } from "../tensors.ts";
import { compileClassification } from "./classification.ts";
import type { CompiledHead, HeadFiles, NumbersHead } from "./compiled.ts";
import { compileRanking } from "./ranking.ts";
import { compileRegression } from "./regression.ts";
import type { ClassificationHead, Head, RegressionHead, SeriesHead } from "./schema.ts";
import { compileSeries } from "./series.ts";
import { compileSpans } from "./spans.ts";
import { compileText } from "./text.ts";

/** What heads over tensors need to know besides the manifest's entry. */
export type HeadSetting = {
  files: HeadFiles;
  /** Type of the first graph output that the head reads; null where it is not known. */
  dtype: Dtype | null;
  /** Text step that a spans head is about. */
  textStep: string | null;
  /** Id that ends the tokens of a decode loop; null where a graph gives them itself. */
  generatedEnd: number | null;
};

/**
 * Compiles how one head reads the outputs of a row.
 *
 * @param place names the head in the manifest; called only for an error.
 * @param outputWidth numbers per row of the first graph output that it reads; null where it is not known.
 * @throws ConfigurationError when the head contradicts itself, its files or the output.
 */
export function compileHead(
  head: ClassificationHead | RegressionHead | SeriesHead,
  place: () => string,
  outputWidth: number | null,
): NumbersHead;
export function compileHead(
  head: Head,
  place: () => string,
  outputWidth: number | null,
  setting?: HeadSetting,
): CompiledHead;
export function compileHead(
  head: Head,
  place: () => string,
  outputWidth: number | null,
  { files, dtype, textStep, generatedEnd }: HeadSetting = {
    files: {},
    dtype: null,
    textStep: null,
    generatedEnd: null,
  },
): CompiledHead {
  switch (head.kind) {
    case "classification":
      return compileClassification(head, place, outputWidth);
    case "regression":
      return compileRegression(head, place, outputWidth);
    case "series":
      return compileSeries(head, place, outputWidth);
    case "ranking":
      return compileRanking(head, place, outputWidth, files);
    case "spans":
      return compileSpans(head, place, textStep ?? "");
    case "text":
      return compileText(head, place, dtype, files, generatedEnd);
  }
}
