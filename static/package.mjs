// Makes the npm package @taskroom/client in static/package from what the build has made: `npm run build`, then
// `npm run package`, then `npm pack ./package`.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const HERE = import.meta.dirname;
const OUT = join(HERE, "package");
const TYPES = join(OUT, "types");

// The one version of the project.
const [, version] = /^version = "(.+)"$/m.exec(readFileSync(join(HERE, "../sdk/pyproject.toml"), "utf8"));

const about = {
  name: "@taskroom/client",
  version,
  description: "Live runs of a Taskroom server for any page: a client without a framework, and the element <taskroom-run>",
  license: "MIT",
  type: "module",
  // Importing the element defines it.
  sideEffects: ["./element.js"],
  exports: {
    ".": { types: "./types/index.d.ts", default: "./taskroom.js" },
    "./element": { types: "./types/element.d.ts", default: "./element.js" },
  },
  types: "./types/index.d.ts",
  files: ["*.js", "types"],
};

/** Adds the ending to relative imports, without which Node's own resolution finds no module. */
function completeImports(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    writeFileSync(path, readFileSync(path, "utf8").replace(/(from |import\()"(\.\/\w+)"/g, '$1"$2.js"'));
  }
}

rmSync(OUT, { recursive: true, force: true });
mkdirSync(TYPES, { recursive: true });
execFileSync(join(HERE, "node_modules/.bin/tsc"), [
  ...["--project", join(HERE, "src/client/tsconfig.json")],
  ...["--outDir", TYPES],
], { stdio: "inherit" });
completeImports(TYPES);
for (const name of ["taskroom.js", "element.js"]) copyFileSync(join(HERE, "dist/client", name), join(OUT, name));
copyFileSync(join(HERE, "src/client/README.md"), join(OUT, "README.md"));
copyFileSync(join(HERE, "../LICENSE"), join(OUT, "LICENSE"));
writeFileSync(join(OUT, "package.json"), `${JSON.stringify(about, null, 2)}\n`);
console.log(OUT);
