import { afterAll, beforeAll, it, vi } from "vitest";
import { makePredecessor } from "./faults/predecessor.ts";
import { playTrouble, troubles } from "./faults/troubles.ts";
import { unpackDeployAction, type DeployAction } from "./stage.ts";

// These tests start processes and may be slow on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

let action: DeployAction;
let predecessor: { dir: string; remove: () => void };
beforeAll(async () => {
  action = await unpackDeployAction();
  predecessor = await makePredecessor(action);
});
afterAll(() => {
  action.remove();
  predecessor.remove();
});

// The most telling ones. `npm run faults` plays all.
it.concurrent.for(troubles.filter(({ telling }) => telling === true))("when $name", async (trouble, { expect }) => {
  expect(await playTrouble(trouble, action, predecessor.dir)).toEqual([]);
});
