"""PyPI django-fingerprint-attendance as a server: its own URLs, views and tables over a SQLite file.

    django_server.py DATABASE serve PORT [SERIAL ZONE]
                                             makes the tables, approves the terminal, says "listening", serves until
                                             it is killed
    django_server.py DATABASE approve SERIAL ZONE
    django_server.py DATABASE punches        one JSON object a line, in the order of arrival
    django_server.py DATABASE queue SERIAL COMMAND
    django_server.py DATABASE events SERIAL  what it wrote down besides punches
"""

import json
import sys

import django
from django.conf import settings

DATABASE, VERB, *REST = sys.argv[1:]

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    SECRET_KEY="interop",
    ROOT_URLCONF="fingerprint_attendance.urls",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATABASE,
            "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL"},
        }
    },
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "fingerprint_attendance",
    ],
    # Its defaults but for the key that it would ask for; no test sends it a template.
    FINGERPRINT_ATTENDANCE={"TEMPLATE_ENCRYPTION_ENABLED": False},
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.core.servers.basehttp import get_internal_wsgi_application, run  # noqa: E402
from fingerprint_attendance.models import Device, DeviceCommand, DeviceEventLog, Punch  # noqa: E402
from fingerprint_attendance.services.commands import queue_command  # noqa: E402
from fingerprint_attendance.services.devices import approve_device, register_device  # noqa: E402


def tell(row):
    print(json.dumps(row), flush=True)


def approve(serial, zone):
    device = Device.objects.filter(serial_number=serial).first() or register_device(serial)
    Device.objects.filter(pk=device.pk).update(timezone=zone)
    approve_device(device)


if VERB == "serve":
    call_command("migrate", verbosity=0)
    if REST[1:]:
        approve(*REST[1:])
    listening = lambda port: print("listening", flush=True)  # noqa: E731
    run("127.0.0.1", int(REST[0]), get_internal_wsgi_application(), threading=True, on_bind=listening)
elif VERB == "approve":
    approve(*REST)
elif VERB == "punches":
    for punch in Punch.objects.select_related("device").order_by("id"):
        tell(
            {
                "serial": punch.device.serial_number,
                "pin": punch.raw_pin,
                "time": punch.device_local_time,
                "at": punch.punched_at.isoformat(),
                "state": punch.raw_state,
                "verify": punch.verify_mode,
                "work_code": punch.work_code,
                "raw": punch.raw_payload,
            }
        )
elif VERB == "queue":
    serial, command = REST
    queue_command(Device.objects.get(serial_number=serial), command)
elif VERB == "events":
    for event in DeviceEventLog.objects.filter(device__serial_number=REST[0]).order_by("id"):
        tell({"type": event.event_type, "message": event.message, "data": event.data})
    for command in DeviceCommand.objects.filter(device__serial_number=REST[0]).order_by("id"):
        tell({"type": "command", "message": command.command_string, "status": command.status})
else:
    sys.exit(f"no such verb: {VERB}")
