import type { CompiledStep, StepFiles, StepPlace } from "./compiled.ts";
import { compileAudio } from "./audio.ts";
import { compileImage } from "./image.ts";
import { compileItems } from "./items.ts";
import { lookupOutput, type Lookup } from "./lookup.ts";
import type { PreprocessStep } from "./schema.ts";
import { compileSeriesStep } from "./series.ts";
import { compileStrings } from "./strings.ts";
import { compileTabular } from "./tabular.ts";
import { compileTensor } from "./tensor.ts";
import { compileText } from "./text.ts";

/**
 * @param context `lookups`: the model's lookup steps, which `compileLookup` has compiled before; `name`: of this step;
 *   `words`: whether a text step keeps where its words are, for a head over its tokens
 * @throws ConfigurationError when the step cannot work as declared.
 */
export function compileStep(
  step: PreprocessStep,
  files: StepFiles,
  place: StepPlace,
  {
    lookups = {},
    name = "",
    words = false,
  }: { lookups?: Readonly<Record<string, Lookup>>; name?: string; words?: boolean } = {},
): CompiledStep {
  switch (step.kind) {
    case "text":
      return compileText(step, files, place, words);
    case "tabular":
      return compileTabular(step, place, lookups);
    case "image":
      return compileImage(step, place);
    case "audio":
      return compileAudio(step, files, place);
    case "tensor":
      return compileTensor(step);
    case "items":
      return compileItems(step, files);
    case "series":
      return compileSeriesStep(step, place);
    case "strings":
      return compileStrings(step);
    case "lookup":
      return lookupOutput(name, lookups[name]!);
  }
}
