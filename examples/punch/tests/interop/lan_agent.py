"""PyPI zkteco-lan-agent, which reads terminals over TCP and pushes what it read, against a server of ours.

    lan_agent.py SERVER SERIAL FOLDER STEP...

Steps: `poll` reads the terminal and pushes what is new, `users` pushes its users, `commands` asks for one command,
`beat` says that it is alive, `result` posts the result of a command. Its memory is in FOLDER; the terminal behind it
is played here. Prints one JSON object.
"""

import datetime
import json
import sys
import types

SERVER, SERIAL, FOLDER, *STEPS = sys.argv[1:]


def record(pin, seconds, verify, state):
    time = datetime.datetime(2026, 3, 30, 8, 0, 0) + datetime.timedelta(seconds=seconds)
    return types.SimpleNamespace(user_id=pin, timestamp=time, status=verify, punch=state)


LOG = [record("0042", 0, 1, 0), record("0042", 60, 4, 1), record("AB-7", 120, 15, 0)]
# Read at the next poll, in the second of the newest record of the poll before.
LATE = record("1003", 120, 1, 0)


class Terminal:
    def __init__(self, *_, **__):
        pass

    def connect(self):
        return self

    def get_attendance(self):
        return LOG

    def get_users(self):
        return [types.SimpleNamespace(user_id="0042", uid=1, name="Canary Person", card=987654321)]

    def disable_device(self):
        pass

    enable_device = disconnect = disable_device


# The package that talks to a real terminal; none is here.
sys.modules["zk"] = types.SimpleNamespace(ZK=Terminal)

from zkteco_lan_agent.config import AgentConfig, DeviceConfig  # noqa: E402
from zkteco_lan_agent.device_worker import DeviceWorker  # noqa: E402
from zkteco_lan_agent.server_client import ServerClient  # noqa: E402

device = DeviceConfig(name="Gate", device_ip="127.0.0.1", device_sn=SERIAL)
agent = AgentConfig(server_url=SERVER, devices=[device], state_dir=FOLDER)
server = ServerClient(SERVER, timeout=10)
worker = DeviceWorker(agent, device, server)
said = []
pushed = []
push = server.push_cdata


def push_and_tell(serial, body, *, table):
    done = push(serial, body, table=table)
    pushed.append({"table": table, "body": body, "done": done})
    return done


server.push_cdata = push_and_tell
for step in STEPS:
    if step == "late":
        LOG.append(LATE)
    elif step == "poll":
        worker.poll_attendance()
    elif step == "users":
        worker.sync_userinfo()
    elif step == "commands":
        said.append(["command", str(server.get_request(SERIAL))])
    elif step == "beat":
        said.append(["beat", str(server.heartbeat(SERIAL))])
    elif step == "result":
        said.append(["result", str(server.ack_command(SERIAL, 7, 0))])
    else:
        sys.exit(f"no such step: {step}")
last = worker.state.load_last_poll()
print(json.dumps({"pushed": pushed, "said": said, "last_poll": last.isoformat() if last else None}))
