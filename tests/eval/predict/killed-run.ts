// Predicts the births dataset in chunks of 64 rows and kills itself after the third, without any clean-up.
import { predictDataset } from "../../../eval/predict/predict.ts";
import { openBirths } from "./births.ts";

const cacheDir = process.argv[2]!;
await predictDataset(
  { ...(await openBirths(cacheDir)), chunkRows: 64 },
  {
    cacheDir,
    onProgress: ({ done }) => {
      if (done === 3 * 64) process.kill(process.pid, "SIGKILL");
    },
  },
);
