/** The Chromium of this machine. Playwright's own is not downloaded. */
import { existsSync } from "node:fs"

/** Where Debian puts it; `CHROMIUM` names another. */
export const places: ReadonlyArray<string> = ["/usr/bin/chromium", "/usr/bin/chromium-browser"]

export const findChromium = (): string | undefined =>
  [process.env.CHROMIUM, ...places].find((path) => path !== undefined && existsSync(path))

/** As root in a container, and without asking Google's hosts for anything. */
export const flags: ReadonlyArray<string> = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]
