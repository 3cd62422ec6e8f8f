import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isRemote, loadModelFile, modelsOf } from "../models/core/predictor/load.ts";
import { optimise } from "../models/core/predictor/optimise.ts";

// A build step of the image. It makes the form of large models that opens faster, on the machine type that will run it.
// What cannot be made is reported and left out: then the artifact itself is served, or the server says what is wrong
// with it.
for (const name of readdirSync("models").sort()) {
  try {
    const loaded = await loadModelFile(join("models", name));
    for (const model of isRemote(loaded) ? [] : modelsOf(loaded)) {
      const outcome = await optimise(model, { env: process.env, fetch });
      const shown = model === loaded ? name : `${name}, ${model.manifest.id}`;
      process.stdout.write(
        outcome.made
          ? `${shown}: optimised, ${outcome.compared} answers equal bit for bit; opens in ${Math.round(outcome.openMs.optimised)} instead of ${Math.round(outcome.openMs.artifact)} ms\n`
          : `${shown}: as it is: ${outcome.why}\n`,
      );
    }
    if (isRemote(loaded)) process.stdout.write(`${name}: as it is: it has no weights here\n`);
  } catch (error) {
    process.stdout.write(`${name}: as it is: ${String((error as Error).message).split("\n", 1)[0]}\n`);
  }
}
