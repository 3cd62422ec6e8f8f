import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildBundle, bundles, type Bundle } from "../../../scripts/build/bundle.ts";
import { nativePlugin } from "../../../scripts/build/native-plugin.ts";
import { repositoryRoot } from "./runner.ts";

const nativeRequire =
  "exports.binding = require(`../bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`);\n";

describe("the native require of onnxruntime-node", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "sluice-bundle-"));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  const bundleOf = (binding: string) => {
    const folder = join(dir, "node_modules/onnxruntime-node/dist");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "binding.js"), binding);
    writeFileSync(join(dir, "main.js"), 'import "./node_modules/onnxruntime-node/dist/binding.js";\n');
    return build({
      entryPoints: [join(dir, "main.js")],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      logLevel: "silent",
      plugins: [nativePlugin(repositoryRoot)],
    });
  };

  it("is replaced by the path where the runtime was located", async () => {
    const { outputFiles } = await bundleOf(nativeRequire);
    expect(outputFiles[0]?.text).toContain("SLUICE_ORT_BINDING");
    expect(outputFiles[0]?.text).not.toContain("napi-v6");
  });

  it.each([
    ["is gone", "exports.binding = load();\n"],
    ["is there twice", nativeRequire + nativeRequire],
  ])("fails the build when it %s", async (_name, binding) => {
    await expect(bundleOf(binding)).rejects.toThrow(/native require was found (0|2) times/);
  });
});

it("the bundle is the same from build to build, names no machine, and pins the runtime it was built against", async () => {
  const [first, second] = [
    await buildBundle(bundles[0] as Bundle, repositoryRoot),
    await buildBundle(bundles[0] as Bundle, repositoryRoot),
  ];
  const text = (files: typeof first.files) =>
    files.map(({ name, bytes }) => `${name}\n${Buffer.from(bytes).toString("utf8")}`).join("\n");
  expect(text(first.files)).toBe(text(second.files));
  expect(text(first.files)).not.toContain(repositoryRoot);
  expect(text(first.files)).toMatch(/onnxruntime_binding\.node",bytes:\d+,sha256:"[0-9a-f]{64}"/);
});

it("what a step loads at its start contains neither the chart library nor the GitHub client nor the native runtime", async () => {
  const { metafile } = await buildBundle(bundles[0] as Bundle, repositoryRoot);
  const reached = new Set<string>();
  const follow = (path: string) => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const { path: next, kind } of metafile.outputs[path]?.imports ?? [])
      if (kind === "import-statement") follow(next);
  };
  follow("actions/gate/dist/main.js");
  const packages = [...reached].flatMap((path) => Object.keys(metafile.outputs[path]?.inputs ?? {})).join("\n");
  expect(packages).toContain("node_modules/zod/");
  for (const heavy of ["echarts", "zrender", "@octokit", "undici", "@huggingface/hub", "onnxruntime-node", "tar"])
    expect(packages).not.toContain(`node_modules/${heavy}/`);
});
