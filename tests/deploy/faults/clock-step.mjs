// Preloaded into a deployment: its wall clock is put forward by an hour as soon as the file CLOCK_STEP exists.
import { existsSync } from "node:fs";

const real = Date.now;
Date.now = () => real() + (existsSync(process.env.CLOCK_STEP) ? 3_600_000 : 0);
