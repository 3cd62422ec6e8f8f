// `npm start`: install what is missing, then gate the two sample models that their data can decide about.
import { runNode } from "./install.mjs";

process.exit(runNode(["cli.ts", "gate", "mood", "births", ...process.argv.slice(2)]));
