// node scripts/with-node24.mjs tests/bot/telegram/soak.ts [RUNS]
//
// Sends 10,000 random texts and 10,000 random cards to the stand-in. Prints what was sent, and exits with 1 if anything
// was refused.
import { soak } from "./texts.ts";

const runs = Number(process.argv[2] ?? "10000");
const { texts, cards, calls, refused } = await soak(runs, 20_261_121);
console.log(`${texts} texts formatted, ${cards} cards rendered, ${calls} requests; ${refused.length} refused`);
for (const words of refused.slice(0, 5)) console.error(words);
process.exitCode = refused.length === 0 ? 0 : 1;
