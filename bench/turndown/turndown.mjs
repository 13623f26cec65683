// Converts every file named on the command line, over and over for a number of
// seconds, and prints how many megabytes a second that was.
//
//   node turndown.mjs SECONDS FILE...
import { readFileSync } from "node:fs";
import TurndownService from "turndown";
import * as plugin from "turndown-plugin-confluence-to-gfm";

const [seconds, ...files] = process.argv.slice(2);
const bodies = files.map((file) => readFileSync(file, "utf8"));
const bytes = bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0);
const service = new TurndownService();
service.use(plugin.confluenceGfm);

const round = () => bodies.forEach((body) => service.turndown(body));
round(); // the compiler's warm-up
const begin = process.hrtime.bigint();
let rounds = 0;
let took = 0;
while (took < Number(seconds)) {
  round();
  rounds++;
  took = Number(process.hrtime.bigint() - begin) / 1e9;
}
console.log(JSON.stringify({ megabytesPerSecond: (bytes * rounds) / took / 1e6 }));
