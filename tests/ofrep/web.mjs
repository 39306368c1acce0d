// Keeps a daemon's flags with OpenFeature's JavaScript client for OFREP, that of browsers: all at once, asked for again
// when the daemon's stream of changes says so.
//
// Usage: node web.mjs NODE_MODULES URL
//
// Reads a command a line and answers each with a line, both JSON:
//   {"do": "start", "context", "changes"}   "changes" is "sse", or "polling" every 100 ms      -> {}
//   {"do": "read", "flagKey", "type", "default"}     -> {"value", "variant", "reason", "errorCode"}
//   {"do": "context", "context"}            waits until flags are those of this context       -> {}
//   {"do": "changed"}                       waits until the flags have changed, or did before -> {"changed": [keys]}
//
// Node has no EventSource: that of the package `eventsource` takes its place.
//
// This driver must not know what the right answers are: it only translates.

import path from "node:path";
import readline from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [nodeModules, url] = process.argv.slice(2);
const require = createRequire(pathToFileURL(path.join(path.resolve(nodeModules), "ofrep.cjs")));
const { OpenFeature, ProviderEvents } = require("@openfeature/web-sdk");
const { OFREPWebProvider } = require("@openfeature/ofrep-web-provider");
globalThis.EventSource = require("eventsource").EventSource;

const METHODS = {
  boolean: "getBooleanDetails",
  string: "getStringDetails",
  integer: "getNumberDetails",
  float: "getNumberDetails",
  object: "getObjectDetails",
};

class Changes {
  seen = [];
  waiting = null;
  tell(keys) {
    this.seen.push(...keys);
    this.waiting?.();
  }
  async next() {
    if (this.seen.length === 0) await new Promise((resolve) => (this.waiting = resolve));
    const seen = this.seen;
    this.seen = [];
    this.waiting = null;
    return seen;
  }
}

const changes = new Changes();
const client = OpenFeature.getClient();
client.addHandler(ProviderEvents.ConfigurationChanged, (event) => changes.tell(event.flagsChanged ?? []));

const commands = {
  async start({ context, changes: changeDetection }) {
    const pollInterval = changeDetection === "polling" ? 100 : 0;
    await OpenFeature.setContext(context);
    const options = { baseUrl: url, cacheMode: "disabled", changeDetection, pollInterval };
    await OpenFeature.setProviderAndWait(new OFREPWebProvider(options));
    return {};
  },
  async read({ flagKey, type, default: defaultValue }) {
    const details = client[METHODS[type]](flagKey, defaultValue);
    const { value, variant = null, reason = null, errorCode = null } = details;
    return { value, variant, reason, errorCode };
  },
  async context({ context }) {
    await OpenFeature.setContext(context);
    return {};
  },
  async changed() {
    return { changed: await changes.next() };
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  process.stdout.write(JSON.stringify(await commands[command.do](command)) + "\n");
}
process.exit(0);
