"""Times PyPI pyzk on a dataset: `pyzk.py LAYOUT FILE USERS ROUNDS` prints the rows and the best CPU seconds.

It reads from memory: whatever would talk to a terminal is replaced.
"""

import sys
import time

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

best = float("inf")
for _ in range(rounds):
    begin = time.process_time()
    rows = terminal.get_attendance()
    best = min(best, time.process_time() - begin)
    first, last = rows[0], rows[-1]
    assert len(rows) == terminal.records and (first.user_id, first.punch, last.status) == ("1001", 0, 1)
print(len(rows), best)
