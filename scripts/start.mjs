// `npm start`: install what is missing, then gate every model of this repository.
import { runNode } from "./install.mjs";

process.exit(runNode(["cli.ts", "gate", ...process.argv.slice(2)]));
