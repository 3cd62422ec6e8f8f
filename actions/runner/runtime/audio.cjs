// Replaces the packages that decode sound in the bundle. Only models that hear need them, and some of their code is
// under the LGPL and has to stay replaceable, so they are searched for when first imported: in a folder that is named,
// and in the runner's tool cache, where the workflows install them. Never in the checked-out repository; see sharp.cjs.
"use strict";
const { createRequire } = process.getBuiltinModule("node:module");
const { join } = process.getBuiltinModule("node:path");
const versions = {
  mediabunny: require("../../../node_modules/mediabunny/package.json").version,
  "mpg123-decoder": require("../../../node_modules/mpg123-decoder/package.json").version,
  "@wasm-audio-decoders/flac": require("../../../node_modules/@wasm-audio-decoders/flac/package.json").version,
  "@wasm-audio-decoders/ogg-vorbis": require("../../../node_modules/@wasm-audio-decoders/ogg-vorbis/package.json")
    .version,
  "opus-decoder": require("../../../node_modules/opus-decoder/package.json").version,
};

module.exports = function load(name) {
  const version = versions.mediabunny;
  const places = [
    process.env.SLUICE_AUDIO_DIR,
    process.env.RUNNER_TOOL_CACHE && join(process.env.RUNNER_TOOL_CACHE, "sluice-audio", version),
  ].filter((place) => place !== undefined && place !== "");
  for (const place of places) {
    try {
      // Below its own folder only: Node would also look into the node_modules of every folder above.
      const found = createRequire(join(place, "package.json"));
      const file = found.resolve(name, { paths: [place] });
      if (file.startsWith(join(place, "node_modules"))) return found(file);
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  const packages = Object.entries(versions)
    .map(([one, own]) => `${one}@${own}`)
    .join(" ");
  throw new Error(
    `This model hears, and the package "${name}" is not here. Looked in: ${places.map((place) => join(place, "node_modules")).join(", ")}. ` +
      `Add a step before this action: npm install --prefix "$RUNNER_TOOL_CACHE/sluice-audio/${version}" --no-save --ignore-scripts ${packages}`,
  );
};
