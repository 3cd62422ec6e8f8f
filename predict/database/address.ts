import { ConfigurationError } from "../../models/core/errors.ts";

/** What a table or a query of a database is called on the command line. `at` names it without user and password. */
export type Address = {
  /** `url` holds secrets: it is passed to the driver and never shown. */
  database: { kind: "sqlite"; file: string } | { kind: "postgres"; url: string };
  from: { table: string } | { query: string };
  at: string;
};

const example = "--input 'sqlite:posts.db?table=posts'";

/**
 * Reads `sqlite:FILE?table=T`, `postgres://…?table=T` and `env:NAME?table=T`, whose variable holds one of the others;
 * `query=SELECT …` in the place of `table=`. Null for anything else: a file.
 *
 * @throws ConfigurationError, which never repeats what may hold a password
 */
export function addressOf(flag: "--input" | "--output", text: string, env: NodeJS.ProcessEnv): Address | null {
  const wrong = (problem: string, expected: string, received?: string) =>
    new ConfigurationError({
      code: "predict-database",
      place: flag,
      problem,
      expected,
      ...(received === undefined ? {} : { received }),
      example,
    });
  const scheme = /^(sqlite|postgres|postgresql|env):/.exec(text)?.[1];
  if (scheme === undefined) return null;
  const cut = text.indexOf("?");
  const [base, parameters] = cut === -1 ? [text, ""] : [text.slice(0, cut), text.slice(cut + 1)];
  const own = new URLSearchParams(parameters);
  const [table, query] = [own.get("table"), own.get("query")];
  if ((table === null) === (query === null) || (table ?? query) === "")
    throw wrong("which rows of the database?", "?table=NAME, or ?query=SELECT …, and only one of them");
  if (query !== null && flag === "--output") throw wrong("a query takes no answers", "?table=NAME");
  const from = table === null ? { query: query! } : { table };
  own.delete("table");
  own.delete("query");
  if (scheme === "env") {
    const name = base.slice("env:".length);
    const value = env[name]?.trim() ?? "";
    if (!/^(sqlite|postgres|postgresql):/.test(value))
      throw wrong(
        `the variable ${name} holds no address of a database`,
        "postgres://USER:PASSWORD@HOST/DATABASE or sqlite:FILE",
        value === "" ? "nothing" : "something else, which is not shown",
      );
    const joint = value.includes("?") ? "&" : "?";
    return addressOf(
      flag,
      `${value}${joint}${new URLSearchParams(table === null ? { query: query! } : { table }).toString()}`,
      {},
    );
  }
  if (scheme === "sqlite") {
    const file = base.slice("sqlite:".length).replace(/^\/\/(?=\/)/, "");
    const decoded = decodedPath(file);
    if (file === "" || own.size > 0 || decoded === null)
      throw wrong(
        "no such address of a SQLite database",
        "sqlite:FILE?table=NAME, with % and ? of FILE as %25 and %3F",
      );
    return { database: { kind: "sqlite", file: decoded }, from, at: nameOf(`sqlite:${file}`, from) };
  }
  const rest = own.toString();
  const url = URL.parse(rest === "" ? base : `${base}?${rest}`);
  // An "@" in the path: a password with a "/" was cut there, and would be taken for the database's name.
  if (url === null || url.hostname === "" || url.pathname.length < 2 || url.pathname.includes("@"))
    throw wrong(
      "not the address of a Postgres database",
      "postgres://USER@HOST:PORT/DATABASE?table=NAME, with / ? # @ : of a password written as %2F %3F %23 %40 %3A",
    );
  return {
    database: { kind: "postgres", url: url.toString() },
    from,
    at: nameOf(`postgres://${url.host}${url.pathname}`, from),
  };
}

const nameOf = (where: string, from: Address["from"]) =>
  "table" in from ? `${where} table ${from.table}` : `${where} query`;

function decodedPath(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
