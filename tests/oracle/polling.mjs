// Decides with the official JavaScript SDK, which polls a server for its datafile.
//
// Usage: node polling.mjs NODE_MODULES URL SDK_KEY
//
// Reads a question a line and answers each with a line, as polling.py does.
//
// This driver must not know what the right answers are: it only translates.

import path from "node:path";
import readline from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [nodeModules, url, sdkKey] = process.argv.slice(2);
const require = createRequire(pathToFileURL(path.join(path.resolve(nodeModules), "oracle.cjs")));
const sdk = require("@optimizely/optimizely-sdk");

const client = sdk.createInstance({
  projectConfigManager: sdk.createPollingProjectConfigManager({
    sdkKey,
    urlTemplate: `${url}/datafiles/%s.json`,
    autoUpdate: true,
    updateInterval: 200,
  }),
});
let updates = 0;
client.notificationCenter.addNotificationListener(sdk.NOTIFICATION_TYPES.OPTIMIZELY_CONFIG_UPDATE, () => updates++);
await client.onReady();

function answer(question) {
  if (question.call === "updates") return { updates };
  const user = client.createUserContext(question.userId, question.attributes);
  const decision = user.decide(question.flagKey, [sdk.OptimizelyDecideOption.DISABLE_DECISION_EVENT]);
  const { variationKey, enabled, ruleKey, variables } = decision;
  return { variationKey, enabled, ruleKey, variables };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n");
}
process.exit(0);
