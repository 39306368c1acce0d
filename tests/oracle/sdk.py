"""Answers files of calls with the official Python SDK, in the shapes of `variate replay`.

Usage: sdk.py JOBS

JOBS has one JSON object a line: {"datafile", "calls", "answers", "events", "sticky"}: four paths and a boolean.
For each call the job gets one line in `answers`, and one line in `events`: the array of {"url", "body"} that the SDK
dispatched during the call. A call that raises answers {"raised": "..."}. Nothing is sent and nothing is polled.

This driver must not know what the right answers are: it only translates.
"""

import json
import math
import sys

from optimizely import optimizely
from optimizely.event.event_processor import ForwardingEventProcessor
from optimizely.helpers.sdk_settings import OptimizelySdkSettings
from optimizely.optimizely_user_context import OptimizelyUserContext

DecisionContext = OptimizelyUserContext.OptimizelyDecisionContext
ForcedDecision = OptimizelyUserContext.OptimizelyForcedDecision


class CapturingDispatcher:
    """Keeps what would be sent, as it would be sent: bodies are turned to JSON text at once."""

    def __init__(self):
        self.sent = []

    def dispatch_event(self, log_event):
        self.sent.append({"url": log_event.url, "body": json.loads(json.dumps(log_event.params))})

    def take(self):
        sent, self.sent = self.sent, []
        return sent


class MemoryProfiles:
    """A user profile service that forgets at the end of the job."""

    def __init__(self):
        self.profiles = {}

    def lookup(self, user_id):
        return self.profiles.get(user_id)

    def save(self, profile):
        self.profiles[profile["user_id"]] = json.loads(json.dumps(profile))


class Replay:
    """One job: a client, its profiles, and the forced decisions of each user."""

    def __init__(self, datafile_text, sticky):
        self.dispatcher = CapturingDispatcher()
        self.forced_decisions = {}
        try:
            self.client = optimizely.Optimizely(
                datafile_text,
                event_processor=ForwardingEventProcessor(self.dispatcher),
                user_profile_service=MemoryProfiles() if sticky else None,
                settings=OptimizelySdkSettings(odp_disabled=True),
            )
            self.accepted = self.client.config_manager.get_config() is not None
        except Exception:  # Some datafiles are not refused but make the constructor raise.
            self.client, self.accepted = None, False

    def answer(self, call):
        try:
            return getattr(self, call["call"])(call)
        except Exception as error:  # The SDK's own failure is an answer that the comparison counts.
            return {"raised": f"{type(error).__name__}: {error}"}

    def activate(self, call):
        key = self.client.activate(call["experimentKey"], call["userId"], call.get("attributes"))
        return {"variationKey": key}

    def getVariation(self, call):
        key = self.client.get_variation(call["experimentKey"], call["userId"], call.get("attributes"))
        return {"variationKey": key}

    def track(self, call):
        self.client.track(call["eventKey"], call["userId"], call.get("attributes"), call.get("eventTags"))
        return {"tracked": bool(self.dispatcher.sent)}

    def isFeatureEnabled(self, call):
        return {"enabled": self.client.is_feature_enabled(call["flagKey"], call["userId"], call.get("attributes"))}

    def getEnabledFeatures(self, call):
        return {"flagKeys": sorted(self.client.get_enabled_features(call["userId"], call.get("attributes")))}

    def getFeatureVariable(self, call):
        value = self.client.get_feature_variable(
            call["flagKey"], call["variableKey"], call["userId"], call.get("attributes")
        )
        return {"value": value}

    def getAllFeatureVariables(self, call):
        values = self.client.get_all_feature_variables(call["flagKey"], call["userId"], call.get("attributes"))
        return {"variables": values}

    def decide(self, call):
        return decision_answer(self.user(call).decide(call["flagKey"], call.get("options")))

    def decideForKeys(self, call):
        return decisions_answer(self.user(call).decide_for_keys(call["flagKeys"], call.get("options")))

    def decideAll(self, call):
        return decisions_answer(self.user(call).decide_all(call.get("options")))

    def setForcedVariation(self, call):
        return {"ok": self.client.set_forced_variation(call["experimentKey"], call["userId"], call["variationKey"])}

    def getForcedVariation(self, call):
        return {"variationKey": self.client.get_forced_variation(call["experimentKey"], call["userId"])}

    def setForcedDecision(self, call):
        forced = self.forced_decisions.setdefault(call["userId"], {})
        forced[(call["flagKey"], call["ruleKey"])] = call["variationKey"]
        return {"ok": True}

    def removeForcedDecision(self, call):
        removed = self.user(call).remove_forced_decision(DecisionContext(call["flagKey"], call["ruleKey"]))
        self.forced_decisions.get(call["userId"], {}).pop((call["flagKey"], call["ruleKey"]), None)
        return {"ok": removed}

    def removeAllForcedDecisions(self, call):
        removed = self.user(call).remove_all_forced_decisions()
        self.forced_decisions.pop(call["userId"], None)
        return {"ok": removed}

    def setDatafile(self, call):
        # What a polling configuration manager does with a new datafile, without the polling.
        manager = self.client.config_manager
        before = manager.get_config()
        with open(call["path"], encoding="utf-8") as file:
            manager._set_config(file.read())
        return {"ok": manager.get_config() is not before}

    def user(self, call):
        user = self.client.create_user_context(call["userId"], call.get("attributes"))
        if call.get("segments") is not None:
            user.set_qualified_segments(call["segments"])
        for (flag_key, rule_key), variation_key in self.forced_decisions.get(call["userId"], {}).items():
            user.set_forced_decision(DecisionContext(flag_key, rule_key), ForcedDecision(variation_key))
        return user


def decision_answer(decision):
    return {
        "flagKey": decision.flag_key,
        "variationKey": decision.variation_key,
        "enabled": decision.enabled,
        "ruleKey": decision.rule_key,
        "variables": decision.variables,
        "reasons": decision.reasons,
    }


def decisions_answer(decisions):
    return {"decisions": {key: decision_answer(decision) for key, decision in decisions.items()}}


def line(value):
    return json.dumps(without_infinities(value)) + "\n"


def without_infinities(value):
    """JSON has no infinity and no NaN; JavaScript writes null for them, so that is written here, too."""
    if isinstance(value, dict):
        return {key: without_infinities(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_infinities(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def run(job):
    with open(job["datafile"], encoding="utf-8") as file:
        replay = Replay(file.read(), job["sticky"])
    with (
        open(job["calls"], encoding="utf-8") as calls,
        open(job["answers"], "w", encoding="utf-8") as answers,
        open(job["events"], "w", encoding="utf-8") as events,
    ):
        for text in calls:
            answers.write(line(replay.answer(json.loads(text))))
            events.write(line(replay.dispatcher.take()))
    # Whether the SDK took the datafile is a fact of the job, not of a call.
    with open(job["answers"] + ".accepted", "w", encoding="utf-8") as file:
        file.write(json.dumps(replay.accepted))


def main():
    with open(sys.argv[1], encoding="utf-8") as jobs:
        for text in jobs:
            run(json.loads(text))


if __name__ == "__main__":
    main()
