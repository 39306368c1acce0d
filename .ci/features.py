"""The features of the crate, one a line, from the output of `cargo metadata` on standard input."""

import json
import sys

for package in json.load(sys.stdin)["packages"]:
    for feature in sorted(package["features"]):
        print(feature)
