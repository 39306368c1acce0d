"""Decides with the official Python SDK, which polls a server for its datafile.

Usage: python polling.py URL SDK_KEY

The datafile is at URL/datafiles/SDK_KEY.json, asked for every 0.2 s. Reads a question a line and answers each with a line,
both JSON: {"call": "decide", "flagKey", "userId", "attributes"} is answered by {"variationKey", "enabled", "ruleKey",
"variables"}, and {"call": "updates"} by {"updates"}: how often a datafile came that was another one. No events are sent.

This driver must not know what the right answers are: it only translates.
"""

import json
import sys

from optimizely import logger, optimizely
from optimizely.config_manager import PollingConfigManager
from optimizely.helpers.enums import NotificationTypes
from optimizely.helpers.sdk_settings import OptimizelySdkSettings
from optimizely.notification_center import NotificationCenter


def answer(client, updates, question):
    if question["call"] == "updates":
        return {"updates": len(updates)}
    user = client.create_user_context(question["userId"], question["attributes"])
    decision = user.decide(question["flagKey"], ["DISABLE_DECISION_EVENT"])
    return {
        "variationKey": decision.variation_key,
        "enabled": decision.enabled,
        "ruleKey": decision.rule_key,
        "variables": decision.variables,
    }


def main():
    url, sdk_key = sys.argv[1:]
    notifications = NotificationCenter(logger.NoOpLogger())
    updates = []
    notifications.add_notification_listener(
        NotificationTypes.OPTIMIZELY_CONFIG_UPDATE, lambda *_: updates.append(1)
    )
    manager = PollingConfigManager(
        sdk_key=sdk_key,
        url_template=url + "/datafiles/{sdk_key}.json",
        update_interval=0.2,
        logger=logger.NoOpLogger(),
        notification_center=notifications,
    )
    client = optimizely.Optimizely(config_manager=manager, settings=OptimizelySdkSettings(odp_disabled=True))
    for line in sys.stdin:
        print(json.dumps(answer(client, updates, json.loads(line))), flush=True)
    manager.stop()


if __name__ == "__main__":
    main()
