"""A gang without torch: rank 0 waits for the others at MASTER_ADDR, all step together, rank 0 reports.

The first attempt steps until it is ended, rank 1 of the second gives up, the third completes."""
import json
import os
import socket
import ssl
import sys
import urllib.request

rank, world, attempt = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "PHI_ATTEMPT"))
master = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
with open(os.path.join(os.environ["OUT"], f"{attempt}-{rank}.json"), "w") as file:
    json.dump(dict(os.environ), file)


def report(step):
    body = json.dumps({"step": step, "loss": 1 / step, "accuracy": 0.5, "checkpoint": f"/ckpt/{step}"}).encode()
    with open(os.environ["PHI_AGENT_TOKEN_FILE"]) as token:
        request = urllib.request.Request(os.environ["PHI_PROGRESS_URL"], body, {"Authorization": "Bearer " + token.read()})
    urllib.request.urlopen(request, context=ssl.create_default_context(cafile=os.environ["PHI_OPERATOR_CA_FILE"])).close()


def join():
    while True:
        try:
            return socket.create_connection(master)
        except ConnectionRefusedError:
            pass


if rank == 0:
    server = socket.create_server(master)
    peers = [server.accept()[0] for _ in range(world - 1)]
else:
    peers = [join()]

step = 0
while attempt == 1 or step < 5:
    step += 1
    for peer in peers:
        peer.sendall(b"x")
    for peer in peers:
        if not peer.recv(1):
            sys.exit("a peer is gone")
    if attempt == 2 and rank == 1 and step == 3:
        sys.exit(7)
    if rank == 0:
        report(step)
