// Tells a daemon what users do with Countly's SDK for Node.
//
// Usage: node node.mjs NODE_MODULES URL APP_KEY SALT
//
// Reads a command a line and answers each with a line, both JSON:
//   {"do": "start", "device"}                                                 -> {}
//   {"do": "event", "event"}
//   {"do": "request", "params"}             a request of one's own, in the queue
//   {"do": "change", "device", "merge"}     another device id from now on
//   {"do": "lose", "answers"}               so many answers do not arrive
//   {"do": "remote"}                        waits for all values                  -> {"values"}
//   {"do": "bulk", "events"}                of many devices, each with "device"; waits until all is sent
//   {"do": "drained"}                       waits until more was sent, and all is  -> {"answered": [statuses], "lost"}
//
// This driver must not know what the right answers are: it only translates.

import path from "node:path";
import readline from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Lossy, until } from "./lossy.mjs";

const [nodeModules, daemon, appKey, salt] = process.argv.slice(2);
const require = createRequire(pathToFileURL(path.join(path.resolve(nodeModules), "countly.cjs")));
const Countly = require("countly-sdk-nodejs");
const storage = require("countly-sdk-nodejs/lib/countly-storage");

const way = new Lossy(daemon);
const url = await way.listen();

const commands = {
  async start({ device }) {
    Countly.init({
      app_key: appKey, url, device_id: device, salt: salt || undefined,
      interval: 50, fail_timeout: 1, storage_type: "memory",
    });
    return {};
  },
  async event({ event }) {
    Countly.add_event(event);
    return {};
  },
  async request({ params }) {
    Countly.request({ app_key: appKey, ...params });
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
  async bulk({ events }) {
    const bulk = new Countly.Bulk({ app_key: appKey, url, interval: 50, fail_timeout: 1, salt: salt || undefined });
    for (const { device, event } of events) bulk.add_event(device, event);
    const before = way.passed;
    bulk.start();
    await until(() => bulk.queue_size() === 0 && way.passed > before);
    bulk.stop();
    return {};
  },
  async drained() {
    const waiting = () => ["cly_event", "cly_queue"].reduce((sum, key) => sum + storage.storeGet(key, []).length, 0);
    await way.drained(() => waiting() === 0);
    return { answered: way.answered, lost: way.lost };
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  process.stdout.write(JSON.stringify(await commands[command.do](command)) + "\n");
}
process.exit(0);
