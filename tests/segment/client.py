"""Sends messages to a daemon with Segment's Python client.

Usage: python client.py URL WRITE_KEY PACKING

Reads a list of messages a line and answers each, when the client's queue is empty, with a line: {"errors"}, what the client
says went wrong. A message is {"type": "track", "userId", "event", "properties", "context"}, or one of another type with
its own members. Packing is `gzip` or `plain`.

This driver must not know what becomes of messages: it only translates.
"""

import json
import logging
import re
import sys

from segment.analytics.client import Client


def snake(members):
    return {re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name): value for name, value in members.items()}


def main():
    url, write_key, packing = sys.argv[1:]
    logging.getLogger("segment").setLevel(logging.CRITICAL)
    errors = []
    client = Client(
        write_key,
        host=url,
        gzip=packing == "gzip",
        upload_interval=0.1,
        on_error=lambda error, batch: errors.append(str(error)),
    )
    for line in sys.stdin:
        for message in json.loads(line):
            kind = message.pop("type")
            getattr(client, kind)(**snake(message))
        client.flush()
        print(json.dumps({"errors": errors}), flush=True)
        errors.clear()


if __name__ == "__main__":
    main()
