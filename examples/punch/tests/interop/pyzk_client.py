"""Drives PyPI pyzk: its argument is a job as JSON, and it prints one JSON object a step.

The job is {"port", "udp", "key", "timeout", "steps": [[name, argument...]...]}; a step's answer is {"ok"} or {"error",
"text"}. Rows are `PIN TAB time TAB state TAB verify`, users `slot TAB PIN TAB name`.
"""

import datetime
import json
import signal
import sys

from zk import ZK

job = json.loads(sys.argv[1])
terminal = ZK(
    "127.0.0.1",
    port=job["port"],
    timeout=job["timeout"],
    password=job["key"],
    force_udp=job["udp"],
    ommit_ping=True,
)


def row(punch):
    return f"{punch.user_id}\t{punch.timestamp:%Y-%m-%dT%H:%M:%S}\t{punch.punch}\t{punch.status}"


class Late(Exception):
    """It gives nobody a turn while events come that it drops."""


def late(*_):
    raise Late


def live(count):
    rows = []
    signal.signal(signal.SIGALRM, late)
    signal.alarm(job["timeout"])
    try:
        for punch in terminal.live_capture(new_timeout=job["timeout"] + 1):
            rows.append(row(punch))
            if len(rows) == count:
                terminal.end_live_capture = True
        return rows
    except Late:
        raise Late(f"{len(rows)} of {count} punches")
    finally:
        signal.alarm(0)


STEPS = {
    "connect": lambda: bool(terminal.connect()),
    "serial": lambda: terminal.get_serialnumber(),
    "attendance": lambda: [row(punch) for punch in terminal.get_attendance()],
    "users": lambda: [f"{user.uid}\t{user.user_id}\t{user.name}" for user in terminal.get_users()],
    "live": live,
    "set_user": lambda slot, pin, name: terminal.set_user(uid=slot, user_id=pin, name=name),
    "delete_user": lambda slot: terminal.delete_user(uid=slot),
    "get_time": lambda: terminal.get_time().isoformat(),
    "set_time": lambda time: terminal.set_time(datetime.datetime.fromisoformat(time)),
    "unlock": lambda seconds: terminal.unlock(seconds),
    "disable": lambda: terminal.disable_device(),
    "enable": lambda: terminal.enable_device(),
    "clear_attendance": lambda: terminal.clear_attendance(),
    "disconnect": lambda: terminal.disconnect(),
}

for name, *arguments in job["steps"]:
    try:
        said = {"ok": STEPS[name](*arguments)}
    except Exception as error:
        said = {"error": type(error).__name__, "text": str(error)}
    print(json.dumps(said), flush=True)
