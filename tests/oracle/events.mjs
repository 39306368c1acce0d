// Sends events with the official JavaScript SDK to a server of one's choice.
//
// Usage: node events.mjs NODE_MODULES URL DATAFILE FLUSH_SECONDS
//
// Reads a question a line and answers each with a line, as events.py does.
//
// This driver must not know what the right answers are: it only translates.

import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [nodeModules, url, datafile, flushSeconds] = process.argv.slice(2);
const require = createRequire(pathToFileURL(path.join(path.resolve(nodeModules), "oracle.cjs")));
const sdk = require("@optimizely/optimizely-sdk");

const sent = [];
async function post(body) {
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
  await response.arrayBuffer();
  return { statusCode: response.status };
}
const eventDispatcher = {
  dispatchEvent(event) {
    const body = JSON.stringify(event.params);
    sent.push(body);
    return post(body);
  },
};

const client = sdk.createInstance({
  projectConfigManager: sdk.createStaticProjectConfigManager({ datafile: fs.readFileSync(datafile, "utf8") }),
  eventProcessor: sdk.createBatchEventProcessor({
    eventDispatcher,
    closingEventDispatcher: eventDispatcher,
    batchSize: 1000,
    flushInterval: Number(flushSeconds) * 1000,
  }),
});
await client.onReady();

async function answer(question) {
  const { call, userId, attributes } = question;
  if (call === "close") {
    await client.close();
    return { batches: sent.length };
  }
  if (call === "resend") {
    for (const body of [...sent]) await post(body);
    return { batches: sent.length };
  }
  if (call === "activate") return { variationKey: client.activate(question.experimentKey, userId, attributes) };
  if (call === "track") {
    client.track(question.eventKey, userId, attributes, question.tags ?? undefined);
    return {};
  }
  const decision = client.createUserContext(userId, attributes).decide(question.flagKey);
  const { flagKey, ruleKey, variationKey, enabled } = decision;
  return { flagKey, ruleKey, variationKey, enabled };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n");
}
process.exit(0);
