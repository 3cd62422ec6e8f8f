import { defineConfig } from "vitest/config";
import { mutantRooms } from "./rooms.ts";

const room = mutantRooms[process.env["MUTANT_ROOM"] ?? ""];
if (room === undefined) throw new Error(`MUTANT_ROOM must be one of ${Object.keys(mutantRooms).join(", ")}`);

export default defineConfig({ test: { include: [...room.tests], testTimeout: 60_000, hookTimeout: 60_000 } });
