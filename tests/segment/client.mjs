// Sends messages to a daemon with Segment's JavaScript client, that of servers.
//
// Usage: node client.mjs NODE_MODULES URL WRITE_KEY
//
// Reads a list of messages a line and answers each, when all of them are delivered or given up, with a line, as client.py does.
//
// This driver must not know what becomes of messages: it only translates.

import path from "node:path";
import readline from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [nodeModules, url, writeKey] = process.argv.slice(2);
const require = createRequire(pathToFileURL(path.join(path.resolve(nodeModules), "segment.cjs")));
const { Analytics } = require("@segment/analytics-node");

// The path of the URL is not heeded; what is said beside it is.
const { origin, pathname } = new URL(url);
const analytics = new Analytics({
  writeKey,
  host: origin,
  path: `${pathname}/v1/batch`,
  flushInterval: 100,
});
for await (const line of readline.createInterface({ input: process.stdin })) {
  const sent = JSON.parse(line).map(({ type, ...message }) =>
    new Promise((done) => analytics[type](message, (error) => done(error))),
  );
  const errors = (await Promise.all(sent)).filter((error) => error);
  process.stdout.write(JSON.stringify({ errors: errors.map(String) }) + "\n");
}
