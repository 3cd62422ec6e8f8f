import { run } from "./run.ts";

// `sluice serve` for the length of a `sluice predict --url local`. Its stdin is a pipe of that run, which the system
// closes however the run ends, kill -9 included: a server that nobody asks must not stay.
const stop = () => process.kill(process.pid, "SIGTERM");
process.stdin.once("close", stop).resume();
process.exitCode = await run(["serve", ...process.argv.slice(2)], {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
});
// Otherwise a server that did not start would wait for its stdin to end.
process.stdin.off("close", stop).destroy();
