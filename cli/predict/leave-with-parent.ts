// Loaded before the server of `sluice predict --url local`. Its stdin is a pipe of that run, which the system closes
// however the run ends, kill -9 included: a server that nobody asks must not stay.
process.stdin.once("close", () => process.kill(process.pid, "SIGTERM")).resume();
(process.stdin as typeof process.stdin & { unref(): void }).unref();
