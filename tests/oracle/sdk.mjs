// Answers files of calls with the official JavaScript SDK, in the shapes of `variate replay`.
//
// Usage: node sdk.mjs NODE_MODULES JOBS
//
// NODE_MODULES is the folder that the SDK was installed in. JOBS has one JSON object a line: {"datafile", "calls",
// "answers", "events", "sticky"}: four paths and a boolean. For each call the job gets one line in `answers`, and one
// line in `events`: the array of {"url", "body"} that the SDK dispatched during the call. The SDK swallows its own
// failures; the error notifier shows them, and such a call answers {"raised": "..."}. Nothing is sent or polled.
//
// This driver must not know what the right answers are: it only translates.

import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";

const [nodeModules, jobsPath] = process.argv.slice(2);
const require = createRequire(pathToFileURL(path.join(path.resolve(nodeModules), "oracle.cjs")));
const sdk = require("@optimizely/optimizely-sdk");

class CapturingDispatcher {
  sent = [];
  // The body is turned to JSON text at once, as sending would.
  dispatchEvent(event) {
    this.sent.push({ url: event.url, body: JSON.parse(JSON.stringify(event.params)) });
    return Promise.resolve({ statusCode: 200 });
  }
  take() {
    const sent = this.sent;
    this.sent = [];
    return sent;
  }
}

class MemoryProfiles {
  profiles = new Map();
  lookup(userId) {
    return this.profiles.get(userId) ?? null;
  }
  save(profile) {
    this.profiles.set(profile.user_id, JSON.parse(JSON.stringify(profile)));
  }
}

class Replay {
  constructor(datafileText, sticky) {
    this.dispatcher = new CapturingDispatcher();
    this.profiles = sticky ? new MemoryProfiles() : undefined;
    this.forcedDecisions = new Map();
    this.failure = null;
    this.open(datafileText);
  }

  open(datafileText) {
    // The errors that the SDK raises on purpose carry their message template; anything else is a failure.
    const handleError = (error) => {
      if (!("baseMessage" in error)) this.failure ??= `${error.name}: ${error.message}`;
    };
    this.client = sdk.createInstance({
      projectConfigManager: sdk.createStaticProjectConfigManager({ datafile: datafileText }),
      eventProcessor: sdk.createForwardingEventProcessor(this.dispatcher),
      userProfileService: this.profiles,
      errorNotifier: sdk.createErrorNotifier({ handleError }),
    });
    this.accepted = this.client.onReady().then(() => true, () => false);
    return this.accepted;
  }

  async answer(call) {
    this.failure = null;
    try {
      const answer = await this[call.call](call);
      return this.failure === null ? answer : { raised: this.failure };
    } catch (error) {
      return { raised: `${error.name}: ${error.message}` };
    }
  }

  activate(call) {
    return { variationKey: this.client.activate(call.experimentKey, call.userId, call.attributes) };
  }
  getVariation(call) {
    return { variationKey: this.client.getVariation(call.experimentKey, call.userId, call.attributes) };
  }
  track(call) {
    this.client.track(call.eventKey, call.userId, call.attributes, call.eventTags);
    return { tracked: this.dispatcher.sent.length > 0 };
  }
  isFeatureEnabled(call) {
    return { enabled: this.client.isFeatureEnabled(call.flagKey, call.userId, call.attributes) };
  }
  getEnabledFeatures(call) {
    return { flagKeys: this.client.getEnabledFeatures(call.userId, call.attributes).sort() };
  }
  getFeatureVariable(call) {
    const value = this.client.getFeatureVariable(call.flagKey, call.variableKey, call.userId, call.attributes);
    return { value };
  }
  getAllFeatureVariables(call) {
    return { variables: this.client.getAllFeatureVariables(call.flagKey, call.userId, call.attributes) };
  }
  decide(call) {
    return decisionAnswer(this.user(call).decide(call.flagKey, call.options));
  }
  decideForKeys(call) {
    return decisionsAnswer(this.user(call).decideForKeys(call.flagKeys, call.options));
  }
  decideAll(call) {
    return decisionsAnswer(this.user(call).decideAll(call.options));
  }
  setForcedVariation(call) {
    return { ok: this.client.setForcedVariation(call.experimentKey, call.userId, call.variationKey) };
  }
  getForcedVariation(call) {
    return { variationKey: this.client.getForcedVariation(call.experimentKey, call.userId) };
  }
  setForcedDecision(call) {
    if (!this.forcedDecisions.has(call.userId)) this.forcedDecisions.set(call.userId, new Map());
    this.forcedDecisions.get(call.userId).set(JSON.stringify([call.flagKey, call.ruleKey]), call);
    return { ok: true };
  }
  removeForcedDecision(call) {
    const ok = this.user(call).removeForcedDecision(decisionContext(call));
    this.forcedDecisions.get(call.userId)?.delete(JSON.stringify([call.flagKey, call.ruleKey]));
    return { ok };
  }
  removeAllForcedDecisions(call) {
    const ok = this.user(call).removeAllForcedDecisions();
    this.forcedDecisions.delete(call.userId);
    return { ok };
  }

  async setDatafile(call) {
    // A static configuration cannot be replaced, so a new client takes over what a client keeps across datafiles:
    // profiles live outside it, the map of forced variations is handed on.
    const before = this.client;
    if (await this.open(fs.readFileSync(call.path, "utf8"))) {
      this.client.decisionService.forcedVariationMap = before.decisionService.forcedVariationMap;
      return { ok: true };
    }
    this.client = before;
    this.failure = null;
    return { ok: false };
  }

  user(call) {
    const user = this.client.createUserContext(call.userId, call.attributes);
    if (call.segments !== undefined && call.segments !== null) user.qualifiedSegments = call.segments;
    for (const forced of this.forcedDecisions.get(call.userId)?.values() ?? []) {
      user.setForcedDecision(decisionContext(forced), { variationKey: forced.variationKey });
    }
    return user;
  }
}

function decisionContext(call) {
  return call.ruleKey === null ? { flagKey: call.flagKey } : { flagKey: call.flagKey, ruleKey: call.ruleKey };
}

function decisionAnswer(decision) {
  const { flagKey, variationKey, enabled, ruleKey, variables, reasons } = decision;
  return { flagKey, variationKey, enabled, ruleKey, variables, reasons };
}

function decisionsAnswer(decisions) {
  return { decisions: Object.fromEntries(Object.entries(decisions).map(([key, d]) => [key, decisionAnswer(d)])) };
}

async function run(job) {
  const replay = new Replay(fs.readFileSync(job.datafile, "utf8"), job.sticky);
  const accepted = await replay.accepted;
  const answers = [];
  const events = [];
  for (const text of fs.readFileSync(job.calls, "utf8").split("\n")) {
    if (text === "") continue;
    answers.push(JSON.stringify(await replay.answer(JSON.parse(text))) + "\n");
    events.push(JSON.stringify(replay.dispatcher.take()) + "\n");
  }
  fs.writeFileSync(job.answers, answers.join(""));
  fs.writeFileSync(job.events, events.join(""));
  fs.writeFileSync(job.answers + ".accepted", JSON.stringify(accepted));
}

for (const text of fs.readFileSync(jobsPath, "utf8").split("\n")) {
  if (text !== "") await run(JSON.parse(text));
}
// A client that refused its datafile leaves a timer of half a minute behind; everything is written.
process.exit(0);
