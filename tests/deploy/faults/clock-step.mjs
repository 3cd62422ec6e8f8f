// Preloaded into a deployment: its wall clock is put forward by an hour after a moment, as a machine's may be.
const real = Date.now;
const began = real();
Date.now = () => real() + (real() - began > 1200 ? 3_600_000 : 0);
