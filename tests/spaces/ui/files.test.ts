import { readdirSync, readFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";
import { expect, test } from "vitest";

const folder = new URL("../../../spaces/ui/", import.meta.url);
const page = readFileSync(new URL("index.html", folder), "utf8");
const modules = readdirSync(folder).filter((name) => name.endsWith(".js"));

test("every module is preloaded, instead of one import after the other", () => {
  const asked = [...page.matchAll(/<(?:link rel="modulepreload" href|script type="module" src)="([^"]+)"/g)].map(
    ([, name]) => name,
  );
  expect(asked.toSorted()).toEqual(modules.toSorted());
});

test("the page needs no inline script or style and no other host", () => {
  expect(page).not.toMatch(/<style|style=|<script(?![^>]*\ssrc=)|\son\w+=|https?:\/\//);
});

test.each(modules)("%s never turns text into markup", (name) => {
  expect(readFileSync(new URL(name, folder), "utf8")).not.toMatch(
    /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function/,
  );
});

test("the whole page has less than 72 kB when compressed", () => {
  const bytes = readdirSync(folder).reduce(
    (sum, name) => sum + brotliCompressSync(readFileSync(new URL(name, folder))).length,
    0,
  );
  expect(bytes).toBeLessThan(72_000);
});
