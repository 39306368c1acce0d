// Tells a daemon what users do with Countly's SDK for browsers, in a page of http://shop.example.
//
// Usage: node web.mjs NODE_MODULES URL APP_KEY SALT
//
// The commands are those of node.mjs, without "request" and "bulk", and with:
//   {"do": "takePart", "keys"}              waits until it is answered               -> {}
//
// jsdom has no ciphers: those of Node take their place.
//
// This driver must not know what the right answers are: it only translates.

import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { createRequire } from "node:module";
import { webcrypto } from "node:crypto";
import { pathToFileURL } from "node:url";
import { Lossy, until } from "./lossy.mjs";

const [nodeModules, daemon, appKey, salt] = process.argv.slice(2);
const require = createRequire(pathToFileURL(path.join(path.resolve(nodeModules), "countly.cjs")));
const { JSDOM } = require("jsdom");

// Pages that nobody sees are not tracked.
const page = { url: "http://shop.example/", runScripts: "outside-only", pretendToBeVisual: true };
const { window } = new JSDOM("<!doctype html>", page);
Object.defineProperty(window.crypto, "subtle", { value: webcrypto.subtle });
window.TextEncoder = TextEncoder;
window.eval(fs.readFileSync(require.resolve("countly-sdk-web/lib/countly.js"), "utf8"));
const { Countly } = window;

const way = new Lossy(daemon);
const url = await way.listen();

const commands = {
  async start({ device }) {
    Countly.init({
      app_key: appKey, url, device_id: device, salt: salt || undefined,
      interval: 50, fail_timeout: 1, use_explicit_rc_api: true, rc_automatic_optin_for_ab: false,
    });
    // It tells of its own health first.
    await until(() => way.answered.length > 0);
    return {};
  },
  async event({ event }) {
    Countly.add_event(event);
    return {};
  },
  async change({ device, merge }) {
    Countly.change_id(device, merge);
    return {};
  },
  async lose({ answers }) {
    way.lose(answers);
    return {};
  },
  async remote() {
    return { values: await new Promise((resolve) => Countly.fetch_remote_config((_, values) => resolve(values))) };
  },
  async takePart({ keys }) {
    const before = way.passed;
    Countly.enrollUserToAb(keys);
    await until(() => way.passed > before);
    return {};
  },
  async drained() {
    const { getRequestQueue, getEventQueue } = Countly.i[appKey]._internals;
    await way.drained(() => getRequestQueue().length === 0 && getEventQueue().length === 0);
    return { answered: way.answered, lost: way.lost };
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  process.stdout.write(JSON.stringify(await commands[command.do](command)) + "\n");
}
process.exit(0);
