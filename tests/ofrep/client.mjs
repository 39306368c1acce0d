// Asks a daemon for flags with OpenFeature's JavaScript client for OFREP, that of servers.
//
// Usage: node client.mjs NODE_MODULES URL SDK_KEY
//
// Reads a question a line and answers each with a line, both JSON, as client.py does. Whole and other numbers are one
// type here.
//
// This driver must not know what the right answers are: it only translates.

import path from "node:path";
import readline from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [nodeModules, url, sdkKey] = process.argv.slice(2);
const require = createRequire(pathToFileURL(path.join(path.resolve(nodeModules), "ofrep.cjs")));
const { OpenFeature } = require("@openfeature/server-sdk");
const { OFREPProvider } = require("@openfeature/ofrep-provider");

const METHODS = {
  boolean: "getBooleanDetails",
  string: "getStringDetails",
  integer: "getNumberDetails",
  float: "getNumberDetails",
  object: "getObjectDetails",
};

await OpenFeature.setProviderAndWait(
  new OFREPProvider({ baseUrl: url, headers: [["Authorization", `Bearer ${sdkKey}`]] }),
);
const client = OpenFeature.getClient();
for await (const line of readline.createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  const details = await client[METHODS[question.type]](question.flagKey, question.default, question.context);
  const { value, variant = null, reason = null, errorCode = null } = details;
  process.stdout.write(JSON.stringify({ value, variant, reason, errorCode }) + "\n");
}
