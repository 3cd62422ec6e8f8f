import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";
import type * as Report from "../../eval/report/html.ts";
import { renderHtml } from "../../eval/report/html.ts";
import { trimEcharts } from "../../scripts/build/echarts-plugin.ts";
import { example } from "../eval/report/example.ts";

it("a bundle with the used parts of the chart library draws the same report, and is smaller", async ({
  onTestFinished,
}) => {
  const root = resolve(import.meta.dirname, "../..");
  const dir = mkdtempSync(join(tmpdir(), "sluice-echarts-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const bundle = async (name: string, trimmed: boolean) => {
    const outfile = join(dir, `${name}.mjs`);
    await build({
      absWorkingDir: root,
      entryPoints: ["eval/report/html.ts"],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      minifyWhitespace: true,
      minifySyntax: true,
      define: { "process.env.NODE_ENV": '"production"' },
      logLevel: "silent",
      plugins: trimmed ? [trimEcharts(root)] : [],
    });
    return { bytes: statSync(outfile).size, ...((await import(pathToFileURL(outfile).href)) as typeof Report) };
  };
  const [whole, trimmed] = [await bundle("whole", false), await bundle("trimmed", true)];
  const { verdict, metrics, plots } = example();
  expect(trimmed.renderHtml(verdict, metrics, plots)).toBe(renderHtml(verdict, metrics, plots));
  expect(trimmed.bytes).toBeLessThan(whole.bytes * 0.7);
});
