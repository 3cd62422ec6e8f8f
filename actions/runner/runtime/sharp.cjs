// Replaces `sharp` in the bundle. Only image models need it, and its native libraries take 18 MB, so it is searched for
// when first called. It is looked for in the vendored folder beside dist, and in the runner's tool cache, where the
// workflows install it. Never in the checked-out repository: a pull request can bring its own node_modules, and what
// is loaded here runs.
"use strict";
const { createRequire } = process.getBuiltinModule("node:module");
const { join } = process.getBuiltinModule("node:path");
const { version } = require("../../../node_modules/sharp/package.json");

let found;
function load() {
  if (found !== undefined) return found;
  const places = [
    process.env.SLUICE_SHARP_DIR,
    process.env.RUNNER_TOOL_CACHE && join(process.env.RUNNER_TOOL_CACHE, "sluice-sharp", version),
  ].filter((place) => place !== undefined && place !== "");
  for (const place of places) {
    try {
      // By its path: Node would also look into the node_modules of every folder above.
      found = createRequire(join(place, "package.json"))(join(place, "node_modules", "sharp"));
      return found;
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  throw new Error(
    `The image library "sharp" is not here. Looked in: ${places.map((place) => join(place, "node_modules")).join(", ")}. ` +
      `Add a step before this action: npm install --prefix "$RUNNER_TOOL_CACHE/sluice-sharp/${version}" --no-save --ignore-scripts sharp@${version}`,
  );
}
module.exports = new Proxy(function sharp() {}, {
  apply: (_target, self, parameters) => Reflect.apply(load(), self, parameters),
  get: (_target, property) => (property === "__esModule" ? undefined : load()[property]),
});
