/** Builds `dist/`: each entry as one minified script with its compressed forms, the manifest, and the npm package. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";
import { BUDGETS, CORE_RAW_BYTES } from "./budgets.mjs";
import { NAMES } from "./names.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const DIST = join(ROOT, "dist");
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

/** Pages of Webalytic ask for either of two names. */
const SAME_AS = { webalytic: "sdk" };

const COMMON = {
  absWorkingDir: ROOT,
  bundle: true,
  target: "es2017",
  define: { VERSION: JSON.stringify(version) },
  mangleProps: /^[a-z]+[A-Za-z]*_$/,
  minifySyntax: true,
  logLevel: "warning",
  write: false,
};

const TERSER = {
  module: true,
  ecma: 2017,
  compress: {
    passes: 4,
    ecma: 2017,
    toplevel: true,
    unsafe: true,
    unsafe_arrows: true,
    unsafe_comps: true,
    pure_getters: true,
    keep_fargs: false,
    inline: 1,
  },
  mangle: { toplevel: true },
};

/** A name that is not in the list would be shortened differently in different files. */
function checkNames(mangleCache) {
  const missing = Object.keys(mangleCache).filter((name) => !(name in NAMES));
  if (missing.length) throw new Error(`add to build/names.mjs: ${missing.join(", ")}`);
}

async function scripts() {
  const { outputFiles, mangleCache } = await build({
    ...COMMON,
    mangleCache: { ...NAMES },
    entryPoints: Object.keys(BUDGETS).map((name) => ({ in: `src/entries/${SAME_AS[name] ?? name}.ts`, out: name })),
    format: "esm",
    outdir: DIST,
  });
  checkNames(mangleCache);
  const made = {};
  for (const file of outputFiles) {
    const { code } = await minify(file.text, TERSER);
    made[file.path.replace(/.*[/\\]/, "")] = `(()=>{${code.replace(/;$/, "")}})()`;
  }
  return made;
}

function describe(name, code) {
  const raw = Buffer.from(code);
  const gzip = gzipSync(raw, { level: 9 });
  const brotli = brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  writeFileSync(join(DIST, name), raw);
  writeFileSync(join(DIST, `${name}.gz`), gzip);
  writeFileSync(join(DIST, `${name}.br`), brotli);
  const integrity = `sha384-${createHash("sha384").update(raw).digest("base64")}`;
  return { integrity, bytes: raw.length, gzip: gzip.length, brotli: brotli.length };
}

function report(files) {
  const over = [];
  const line = (...cells) => cells.map((cell, index) => (index ? `${cell}`.padStart(8) : cell.padEnd(14))).join("");
  console.log(line("script", "raw", "gzip -9", "brotli", "budget"));
  for (const name of Object.keys(BUDGETS)) {
    const { bytes, gzip, brotli } = files[`${name}.js`];
    console.log(line(`${name}.js`, bytes, gzip, brotli, BUDGETS[name]));
    if (gzip > BUDGETS[name]) over.push(`${name}.js is ${gzip - BUDGETS[name]} bytes over its budget`);
  }
  if (files["t.js"].bytes > CORE_RAW_BYTES) over.push(`t.js has more than ${CORE_RAW_BYTES} bytes before compression`);
  return over;
}

async function npmPackage() {
  await build({
    ...COMMON,
    mangleCache: { ...NAMES },
    entryPoints: ["src/index.ts", "src/extras.ts"],
    format: "esm",
    splitting: true,
    target: "es2022",
    outdir: join(DIST, "npm"),
    write: true,
  });
  execFileSync(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", join(ROOT, "tsconfig.types.json")], { stdio: "inherit" });
}

rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST, { recursive: true });
const made = await scripts();
const files = Object.fromEntries(Object.keys(BUDGETS).map((name) => [`${name}.js`, describe(`${name}.js`, made[`${name}.js`])]));
const release = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 12);
writeFileSync(join(DIST, "manifest.json"), `${JSON.stringify({ version, release, files }, null, 2)}\n`);
const over = report(files);
await npmPackage();
if (over.length) {
  console.error(over.join("\n"));
  process.exit(1);
}
