// `npm run ci`, also started by `.ci/run`: installs what is missing, then runs every step of scripts/ci/steps.ts, or
// only the named ones.
import { debianIfMissing } from "./debian.mjs";
import { installIfMissing, runNode } from "./install.mjs";

const asked = process.argv.slice(2);
const willRun = (script) => asked.length === 0 || asked.includes(script);

if (willRun("test:slow")) debianIfMissing("test:slow");
else if (willRun("test")) debianIfMissing("test");
process.once("exit", (code) => {
  // The last line must always be the count, even if no step could run.
  if (code !== 0) console.log("0 passed, 1 failed");
});
installIfMissing();
process.removeAllListeners("exit");
process.exit(runNode(["scripts/ci/main.ts", ...asked]));
