// Replaces `sharp` in the bundle. Only image models need it, and its native libraries take 18 MB, so it is searched for
// when first called. It is looked for in the vendored folder beside dist, in the runner's tool cache (where the
// workflows install it), and in the checked-out repository.
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
    process.env.GITHUB_WORKSPACE,
    process.cwd(),
  ].filter((place) => place !== undefined && place !== "");
  for (const place of places) {
    try {
      found = createRequire(join(place, "package.json"))("sharp");
      return found;
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  throw new Error(
    `This model reads images, and the image library "sharp" is not here. Looked in: ${places.map((place) => join(place, "node_modules")).join(", ")}. ` +
      "Add a step before this action: npm install --no-save sharp",
  );
}
module.exports = new Proxy(function sharp() {}, {
  apply: (_target, self, parameters) => Reflect.apply(load(), self, parameters),
  get: (_target, property) => (property === "__esModule" ? undefined : load()[property]),
});
