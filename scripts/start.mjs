// `npm start`: installs what is missing, then gates the two sample models whose data is enough for a decision.
import { runNode } from "./install.mjs";

process.exit(runNode(["cli.ts", "gate", "mood", "births", ...process.argv.slice(2)]));
