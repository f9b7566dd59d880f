"""Appends a step to PHI_PROGRESS_FILE again and again, until there is a file "enough" in its folder."""
import json
import os
import time

step = 0
with open(os.environ["PHI_PROGRESS_FILE"], "a") as progress:
    while not os.path.exists(os.path.join(os.environ["WORK"], "enough")):
        step += 1
        print(json.dumps({"step": step, "loss": 1 / step}), file=progress, flush=True)
        time.sleep(0.05)
