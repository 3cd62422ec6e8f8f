// `npm run ci`, and what `.ci/run` starts: install what is missing, then run every step of scripts/ci/steps.ts, or
// those that are named.
import { debianIfMissing } from "./debian.mjs";
import { installIfMissing, runNode } from "./install.mjs";

const asked = process.argv.slice(2);
const willRun = (script) => asked.length === 0 || asked.includes(script);

if (willRun("test:slow")) debianIfMissing("test:slow");
else if (willRun("test")) debianIfMissing("test");
process.once("exit", (code) => {
  // The last line counts, also when no step could be run.
  if (code !== 0) console.log("0 passed, 1 failed");
});
installIfMissing();
process.removeAllListeners("exit");
process.exit(runNode(["scripts/ci/main.ts", ...asked]));
