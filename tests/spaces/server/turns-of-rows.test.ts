import { expect, it } from "vitest";
import { turnAfter } from "../../../spaces/server/http/turns-of-rows.ts";

it("work on many rows lets others in after every 256 rows, and not where nothing is left", async () => {
  const work = async (rows: number): Promise<(number | string)[]> => {
    const seen: (number | string)[] = [];
    setImmediate(() => seen.push("another request"));
    for (let row = 0; row < rows; row++) {
      seen.push(row);
      const turn = turnAfter(row + 1, rows);
      if (turn !== null) await turn;
    }
    return seen;
  };
  expect((await work(1000)).indexOf("another request")).toBe(256);
  expect(await work(256)).toHaveLength(256);
  expect(turnAfter(256, 256)).toBeNull();
  expect(turnAfter(255, 1000)).toBeNull();
});
