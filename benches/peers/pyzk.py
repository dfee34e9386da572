"""Times PyPI pyzk on a dataset: `pyzk.py LAYOUT FILE USERS ROUNDS` prints the rows and the best CPU seconds.

It reads from memory: whatever would talk to a terminal is replaced.
"""

import resource
import sys

from zk import ZK
from zk.user import User

SIZES = {"40": 40, "16": 16, "8a": 8}
layout, path, people, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with open(path, "rb") as file:
    dataset = file.read()

terminal = ZK("127.0.0.1")
users = [User(slot, "", 0, user_id=str(1000 + slot)) for slot in range(1, people + 1)]
terminal.read_sizes = lambda: None
terminal.get_users = lambda: users
terminal.read_with_buffer = lambda *_: (dataset, len(dataset))
terminal.records = (len(dataset) - 4) // SIZES[layout]



def spent():
    """CPU seconds, without the kernel's."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


best = float("inf")
for _ in range(rounds):
    begin = spent()
    rows = terminal.get_attendance()
    best = min(best, spent() - begin)
    assert len(rows) == terminal.records and rows[0].user_id == "1001"
print(len(rows), best)
