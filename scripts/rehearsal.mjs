// `npm run rehearsal`: installs what is missing, then plays the stories. On Ctrl-C the rehearsal cleans up before it
// ends.
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
