"""Asks a daemon for flags with OpenFeature's Python client for OFREP.

Usage: python client.py URL SDK_KEY

Reads a question a line and answers each with a line, both JSON. A question is {"flagKey", "type", "default", "context"},
where the type is boolean, string, integer, float or object and the context may have "targetingKey"; an answer is
{"value", "variant", "reason", "errorCode"}, as the client sees them.

This driver must not know what the right answers are: it only translates.
"""

import json
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext


def context(given):
    attributes = dict(given)
    return EvaluationContext(attributes.pop("targetingKey", None), attributes)


def answer(client, question):
    ask = getattr(client, f"get_{question['type']}_details")
    details = ask(question["flagKey"], question["default"], context(question["context"]))
    return {
        "value": details.value,
        "variant": details.variant,
        "reason": details.reason,
        "errorCode": details.error_code,
    }


def main():
    url, sdk_key = sys.argv[1:]
    api.set_provider(OFREPProvider(url, headers_factory=lambda: {"X-API-Key": sdk_key}))
    client = api.get_client()
    for line in sys.stdin:
        print(json.dumps(answer(client, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
