"""The terminal that PyPI django-fingerprint-attendance plays for its own tests, against a server of ours.

    device_simulator.py SERVER SERIAL FIRMWARE day       a day of a terminal: handshake, punches, an outage, enrolment
    device_simulator.py SERVER SERIAL FIRMWARE refused   what it keeps when it is refused
    device_simulator.py SERVER SERIAL FIRMWARE resume N  shakes hands with N punches in memory and uploads the rest

Prints one JSON object. The rows are those that it says it has written, not those that the server has.
"""

import datetime
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

from fingerprint_attendance.testing import ADMSDeviceSimulator

SERVER, SERIAL, FIRMWARE, VERB, *REST = sys.argv[1:]
MONDAY = datetime.datetime(2026, 3, 30, 8, 0, 0)


class Answer:
    def __init__(self, status, content):
        self.status_code, self.content = status, content


class Client:
    """As much of Django's test client as the simulator calls, over a real connection."""

    def call(self, request):
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return Answer(response.status, response.read())
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, refused.read())

    def get(self, path, params, REMOTE_ADDR):
        return self.call(urllib.request.Request(f"{SERVER}{path}?{urllib.parse.urlencode(params)}"))

    def post(self, path, data, content_type, REMOTE_ADDR):
        return self.call(urllib.request.Request(f"{SERVER}{path}", data, {"Content-Type": content_type}))


def minutes(number):
    return MONDAY + datetime.timedelta(minutes=number)


def report(device, **more):
    rows = [device._attlog_line(punch) for punch in device.log]
    print(json.dumps({"rows": rows, "uploaded": device.uploaded, **more}))


def day(device):
    options = device.handshake()
    device.punch("0042", minutes(0))
    device.punch("AB-7", minutes(1), status=1, verify=15)
    device.go_offline()
    for number in range(2, 40):
        device.punch(str(1000 + number), minutes(number), status=255)
    caught_up = device.go_online()
    spoiled = device.punch("0042", minutes(50), upload=False)
    broken = device.upload_pending(corrupt_line=0)
    device.log.remove(spoiled)
    device.uploaded -= 1
    user = device.push_user("0042", name="Canary Person")
    enrolled = device.enroll_at_device("0042", 3, b"canary template " * 32, name="Canary Person")
    answers = [device.ping(), device.ack([(7, 0, "INFO", "~DeviceName=SIM\nUserCount=1\n")])]
    answers = [user, enrolled, *caught_up, *broken, *answers]
    report(
        device,
        options=options,
        answers=[[answer.status, answer.text] for answer in answers],
        commands=device.run_commands(),
    )


def refused(device):
    try:
        device.handshake()
        handshake = "taken"
    except AssertionError as error:
        handshake = str(error)
    device.punch("0042", minutes(0), upload=False)
    answers = device.upload_pending()
    pending = len(device.pending())
    report(device, handshake=handshake, answers=[[answer.status, answer.text] for answer in answers], pending=pending)


def resume(device, count):
    for number in range(count):
        device.punch(str(2000 + number), minutes(number), upload=False)
    device.handshake()
    report(device, sent_again=sum(1 for _ in device.upload_pending(batch_size=1)))


DEVICE = ADMSDeviceSimulator(Client(), serial=SERIAL, firmware=FIRMWARE)
{"day": day, "refused": refused, "resume": resume}[VERB](DEVICE, *map(int, REST))
