"""A training loop without any library: it keeps its state in a file and appends each step to PHI_PROGRESS_FILE.

The first attempt stands still at step 10, until it is killed; the second at step 15, until it may go on."""
import json
import os
import signal
import time

work, attempt, rank = os.environ["WORK"], int(os.environ["PHI_ATTEMPT"]), int(os.environ["RANK"])
state = os.path.join(work, f"state-{rank}.json")
step, weight = 0, 0.0
if os.path.exists(state):
    with open(state) as file:
        step, weight = json.load(file)

with open(os.environ["PHI_PROGRESS_FILE"], "a") as progress:
    print(f"attempt {attempt} goes on after step {step}", file=progress, flush=True)
    while step < 20:
        if rank == 0 and (attempt, step) == (1, 10):
            signal.pause()
        while rank == 0 and step == 15 and not os.path.exists(os.path.join(work, "go")):
            time.sleep(0.05)
        error = weight - 3
        weight -= 0.2 * error
        step += 1
        line = {"step": step, "loss": error * error, "tokens": 100 * step, "weight": weight}
        if step % 4 == 0:
            with open(state + ".new", "w") as file:
                json.dump([step, weight], file)
            os.replace(state + ".new", state)
            line["checkpoint"] = state
        print(json.dumps(line), file=progress, flush=True)
