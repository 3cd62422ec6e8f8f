// `npm run rehearsal`: install what is missing, then play the stories. Ctrl-C reaches the rehearsal, which cleans up
// first.
import { fileURLToPath } from "node:url";
import { debianIfMissing } from "./debian.mjs";
import { execChild } from "./exec-child.mjs";
import { installIfMissing } from "./install.mjs";

debianIfMissing("test");
execChild(installIfMissing(), [
  "--disable-warning=ExperimentalWarning",
  fileURLToPath(new URL("../rehearsal/main.ts", import.meta.url)),
  ...process.argv.slice(2),
]);
