// `npm test`: install what is missing (npm packages; Debian packages when root), then run the whole suite.
import { debianIfMissing } from "./debian.mjs";
import { runNode } from "./install.mjs";

debianIfMissing();
process.exit(runNode(["node_modules/vitest/vitest.mjs", "run", ...process.argv.slice(2)]));
