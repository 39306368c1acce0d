"""Runs the README's daemon, then its curl lines, and compares each answer with the one shown below it.

The command is the argument, word for word as in the README; so is everything that is run here. Only
times, and what is made up anew for each answer, are not compared. The store is a scratch folder.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

READY = "http://localhost:8088/ready"
# The command builds first.
SECONDS_TO_START = 3600
SECONDS_TO_STOP = 60
OF_THE_MOMENT = re.compile(r'\b1[0-9]{12}\b|(?<="response_id":")[0-9a-f-]+|(?<="id":)[0-9]+')


def main():
    command = sys.argv[1]
    asked = curl_blocks(open("README.md", encoding="utf-8").read())
    if not asked:
        sys.exit("README.md: no curl lines with an answer below them")
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, VARIATE_DATA_DIR=os.path.join(folder, "store"))
        daemon = subprocess.Popen(command.split(), env=environment, stdout=subprocess.DEVNULL)
        try:
            wait_until_ready(daemon)
            for lines, expected in asked:
                compare(lines, expected)
            daemon.send_signal(signal.SIGTERM)
            code = daemon.wait(SECONDS_TO_STOP)
            if code != 0:
                sys.exit(f"the daemon ended with exit code {code} after SIGTERM")
        finally:
            if daemon.poll() is None:
                daemon.kill()
    print(f"  {len(asked)} answers as in the README, exit code 0 after SIGTERM")


def curl_blocks(text):
    """Blocks of shell that begin with curl, each with the JSON block that follows."""
    shell = r"^```sh\n(curl (?:(?!```).)*)```\n+"
    blocks = re.findall(shell + r"```json\n(.*?)```$", text, re.DOTALL | re.MULTILINE)
    return [(lines, expected) for lines, expected in blocks]


def wait_until_ready(daemon):
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if daemon.poll() is not None:
            sys.exit(f"the daemon did not start: exit code {daemon.returncode}")
        try:
            with urllib.request.urlopen(READY, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit("the daemon was not ready in time")


def compare(lines, expected):
    said = subprocess.run(["bash", "-c", lines], capture_output=True, text=True, check=False).stdout
    if OF_THE_MOMENT.sub("NOW", said) != OF_THE_MOMENT.sub("NOW", expected):
        sys.exit(f"README.md: another answer to\n{lines}\nexpected:\n{expected}\nfound:\n{said}")


if __name__ == "__main__":
    main()
