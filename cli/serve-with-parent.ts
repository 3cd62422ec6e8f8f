import { run } from "./run.ts";

// Runs `sluice serve` for as long as a `sluice predict --url local` runs. Its stdin is a pipe from that process. The
// system closes the pipe however the process ends, even by kill -9, and then the server stops too.
const stop = () => process.kill(process.pid, "SIGTERM");
process.stdin.once("close", stop).resume();
process.exitCode = await run(["serve", ...process.argv.slice(2)], {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
});
// Without this, a server that failed to start would wait for its stdin to end.
process.stdin.off("close", stop).destroy();
