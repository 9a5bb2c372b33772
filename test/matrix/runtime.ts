/** The runtime that a program runs on, as the runtime itself tells it. */
export type Name = "node" | "bun" | "deno"

export interface Found {
  readonly name: Name
  readonly version: string
}

/** Bun and Deno also have a `process.versions.node`: the version of Node that they claim to be like. */
export const found = (): Found => {
  const versions: Readonly<Record<string, string | undefined>> = process.versions
  for (const name of ["bun", "deno", "node"] as const) {
    const version = versions[name]
    if (version !== undefined) return { name, version }
  }
  throw new Error(`Neither Node nor Bun nor Deno: ${JSON.stringify(versions)}`)
}

/** Set by `npm run matrix` for every run: `bun 1.4.4`. */
export const variable = "MATRIX_RUNTIME"
