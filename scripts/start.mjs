// `npm start`: install what is missing, then gate the sample models that a plain checkout can decide.
import { runNode } from "./install.mjs";

process.exit(runNode(["cli.ts", "gate", "mood", "births", ...process.argv.slice(2)]));
