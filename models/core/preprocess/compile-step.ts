import type { CompiledStep, StepFiles, StepPlace } from "./compiled.ts";
import { compileImage } from "./image.ts";
import type { PreprocessStep } from "./schema.ts";
import { compileTabular } from "./tabular.ts";
import { compileTensor } from "./tensor.ts";
import { compileText } from "./text.ts";

/** @throws ConfigurationError when the step cannot work as declared. */
export function compileStep(step: PreprocessStep, files: StepFiles, place: StepPlace): CompiledStep {
  switch (step.kind) {
    case "text":
      return compileText(step, files, place);
    case "tabular":
      return compileTabular(step, place);
    case "image":
      return compileImage(step, place);
    case "tensor":
      return compileTensor(step);
  }
}
