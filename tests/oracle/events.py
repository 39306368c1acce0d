"""Sends events with the official Python SDK to a server of one's choice.

Usage: python events.py URL DATAFILE FLUSH_SECONDS

Events go to URL by an event dispatcher that hands them to the SDK's own one with another address, in batches. Reads a
question a line and answers each with a line, both JSON: {"call": "decide", "flagKey", "userId", "attributes"} is
answered by {"flagKey", "ruleKey", "variationKey", "enabled"}, {"call": "activate", "experimentKey", "userId",
"attributes"} by {"variationKey"}, {"call": "track", "eventKey", "userId", "attributes", "tags"} by {}; {"call": "close"}
sends what waits, and {"call": "resend"} all that was sent again; both are answered by {"batches"}: how many there were.

This driver must not know what the right answers are: it only translates.
"""

import json
import sys

from optimizely import event_dispatcher, logger, optimizely
from optimizely.event.event_processor import BatchEventProcessor
from optimizely.helpers.sdk_settings import OptimizelySdkSettings


class Dispatcher(event_dispatcher.EventDispatcher):
    def __init__(self, url):
        self.url = url
        self.sent = []

    def dispatch_event(self, event):
        self.sent.append(event)
        event.url = self.url
        event_dispatcher.EventDispatcher.dispatch_event(event)


def answer(client, dispatcher, question):
    call = question["call"]
    if call == "close":
        client.close()
        return {"batches": len(dispatcher.sent)}
    if call == "resend":
        for event in dispatcher.sent:
            event_dispatcher.EventDispatcher.dispatch_event(event)
        return {"batches": len(dispatcher.sent)}
    who = (question["userId"], question["attributes"])
    if call == "activate":
        return {"variationKey": client.activate(question["experimentKey"], *who)}
    if call == "track":
        client.track(question["eventKey"], *who, question["tags"])
        return {}
    decision = client.create_user_context(*who).decide(question["flagKey"])
    return {
        "flagKey": decision.flag_key,
        "ruleKey": decision.rule_key,
        "variationKey": decision.variation_key,
        "enabled": decision.enabled,
    }


def main():
    url, datafile, flush_seconds = sys.argv[1:]
    dispatcher = Dispatcher(url)
    processor = BatchEventProcessor(
        dispatcher, logger.NoOpLogger(), start_on_init=True, batch_size=1000, flush_interval=float(flush_seconds)
    )
    with open(datafile, encoding="utf-8") as file:
        client = optimizely.Optimizely(
            file.read(), event_processor=processor, settings=OptimizelySdkSettings(odp_disabled=True)
        )
    for line in sys.stdin:
        print(json.dumps(answer(client, dispatcher, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
