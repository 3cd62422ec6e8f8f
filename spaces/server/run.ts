import { exitNow } from "./lifecycle/exit-now.ts";
import { startServer, type Deps, type Server } from "./server.ts";
import type { Settings } from "./settings/settings.ts";

/**
 * Serves until SIGTERM or SIGINT, then drains. SIGHUP reloads every model.
 *
 * @param onListening called once the port is open.
 * @returns when everything is answered and closed. When the deadline passes first, the process ends here: a run may
 *   still be going on, and it cannot be stopped.
 */
export async function serveUntilSignal(
  dirs: readonly string[],
  settings: Settings,
  deps: Deps,
  onListening: (server: Server) => void,
): Promise<void> {
  const server = await startServer(dirs, settings, deps);
  onListening(server);
  await new Promise<void>((resolve) => {
    const reload = () => void server.reloadAll();
    // A second signal while draining changes nothing: the deadline already bounds it.
    const stop = () => resolve();
    process.on("SIGHUP", reload);
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
  if (!(await server.drain(settings.drainSeconds * 1000))) exitNow();
}
