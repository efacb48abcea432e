/** Runs `test/*.test.mjs`, bundled, since Node does not read the sources as they are. */

import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const OUT = join(ROOT, "dist", "test");

mkdirSync(OUT, { recursive: true });
const names = readdirSync(join(ROOT, "test")).filter((name) => name.endsWith(".test.mjs"));
await build({
  absWorkingDir: ROOT,
  entryPoints: names.map((name) => `test/${name}`),
  outdir: OUT,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  define: { VERSION: '"test"' },
  external: ["../npm/*"],
  logLevel: "warning",
});
const files = names.map((name) => join(OUT, name));
process.exit(spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" }).status ?? 1);
