import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { read, root } from "./pages.ts";

const codes = [...read("docs/troubleshooting.md").matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code!);

it("the page of errors has codes", () => {
  expect(codes.length).toBeGreaterThan(15);
});

it.each(codes)("%s is a code that the sources give", (code) => {
  const found = execFileSync(
    "git",
    ["grep", "-hoE", `"${code}"|contract-\\$\\{role\\}-[a-z-]+`, "--", "*.ts", ":!tests", ":!docs"],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  const ends = /^contract-(?:input|output)-(.+)$/.exec(code)?.[1];
  expect(found.split("\n").some((one) => one === `"${code}"` || (ends !== undefined && one.endsWith(`-${ends}`)))).toBe(
    true,
  );
});
