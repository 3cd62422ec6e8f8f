import type { CompiledStep, StepFiles, StepPlace } from "./compiled.ts";
import { compileImage } from "./image.ts";
import type { PreprocessStep } from "./schema.ts";
import { compileTabular } from "./tabular.ts";
import { compileTensor } from "./tensor.ts";
import { compileText } from "./text.ts";

/**
 * @param words whether a text step keeps where its words are, for a head over its tokens
 * @throws ConfigurationError when the step cannot work as declared.
 */
export function compileStep(step: PreprocessStep, files: StepFiles, place: StepPlace, words = false): CompiledStep {
  switch (step.kind) {
    case "text":
      return compileText(step, files, place, words);
    case "tabular":
      return compileTabular(step, place);
    case "image":
      return compileImage(step, place);
    case "tensor":
      return compileTensor(step);
  }
}
