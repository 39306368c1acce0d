"""Shows flags and tracks events with Flagger's Python client.

Usage: python client.py URL KEY [INGEST_URL]

The client is told where to ask by the environment that it starts in, which is how its users do it: URL/v3/config/ and
URL/v3/sse/ for flags, and INGEST_URL/v3/ingest/, or the same URL, for what it reports. Reads a question a line and
answers each with a line, both JSON: {"call": "variation" | "payload" | "enabled" | "sampled", "codename", "entity"} is
answered by {"value"}, {"call": "track", "name", "properties", "entity"}, {"call": "publish", "entity"} and
{"call": "entity", "entity"} by {}, and {"call": "shutdown", "timeoutMs"} by {"timedOut"}.

This driver must not know what the right answers are: it only translates.
"""

import json
import os
import sys

STARTED = "FLAGGER_DRIVER_STARTED"


def environment(url, key, ingest_url):
    return {
        "FLAGGER_API_KEY": key,
        "FLAGGER_SOURCE_URL": url + "/v3/config/",
        "FLAGGER_BACKUP_SOURCE_URL": url + "/v3/config/",
        "FLAGGER_SSE_URL": url + "/v3/sse/",
        "FLAGGER_INGESTION_URL": ingest_url + "/v3/ingest/",
        "FLAGGER_LOG_LEVEL": "error",
    }


def answer(flagger, question):
    call, entity = question["call"], question.get("entity")
    if call == "track":
        flagger.track(question["name"], question["properties"], entity)
        return {}
    if call == "publish":
        flagger.publish(entity)
        return {}
    if call == "entity":
        flagger.set_entity(entity)
        return {}
    if call == "shutdown":
        return {"timedOut": flagger.shutdown(question["timeoutMs"])}
    asked = {
        "variation": flagger.get_variation,
        "payload": flagger.get_payload,
        "enabled": flagger.is_enabled,
        "sampled": flagger.is_sampled,
    }[call]
    return {"value": asked(question["codename"], entity)}


def main():
    url, key, *ingest_url = sys.argv[1:]
    if STARTED not in os.environ:
        # What is inside of the client reads the environment that the process began with.
        variables = environment(url, key, *(ingest_url or [url]))
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **variables, STARTED: "1"})
    import flagger

    flagger.init()
    for line in sys.stdin:
        print(json.dumps(answer(flagger, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
