// `npm test`: installs what is missing (npm packages; Debian packages when root), then runs the quick tests.
// `npm run test:slow` runs the others. A named path is run whichever of the two it belongs to:
//   npm test tests/spaces/ui -- --reporter=verbose
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { debianIfMissing } from "./debian.mjs";
import { runNode } from "./install.mjs";

const [slow, args] = process.argv[2] === "--slow" ? [true, process.argv.slice(3)] : [false, process.argv.slice(2)];
const root = fileURLToPath(new URL("..", import.meta.url));
const isNamed = args.some((arg) => !arg.startsWith("-") && existsSync(`${root}/${arg}`));
const projects = slow ? ["slow", "alone"] : ["parts", "processes"];

debianIfMissing(slow ? "test:slow" : "test");
process.exit(
  runNode([
    "node_modules/vitest/vitest.mjs",
    "run",
    ...(isNamed ? [] : projects.map((name) => `--project=${name}`)),
    ...args,
  ]),
);
