"""PyPI tungsten-hr as a server: its push routes in a panel over a SQLite file.

    tungsten_server.py DATABASE serve PORT [SERIAL ZONE]
                                             makes the tables, approves the terminal, says "listening", serves until
                                             it is killed
    tungsten_server.py DATABASE approve SERIAL ZONE
    tungsten_server.py DATABASE punches      one JSON object a line, in the order of arrival
"""

import asyncio
import json
import sys

import uvicorn
from fastapi import FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session
from tungsten import Panel
from tungsten_hr import BiometricDevice, HRPlugin, Punch

DATABASE, VERB, *REST = sys.argv[1:]

engine = create_engine(f"sqlite:///{DATABASE}", connect_args={"timeout": 20})


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print("listening", flush=True)


def approve(serial, zone):
    """It keeps no zone of a terminal."""
    with Session(engine) as db:
        device = db.scalars(select(BiometricDevice).where(BiometricDevice.serial_number == serial)).first()
        if device is None:
            device = BiometricDevice(name=serial, serial_number=serial)
            db.add(device)
        device.is_active = True
        db.commit()


if VERB == "serve":
    panel = Panel(engine=engine, secret_key="interop")
    panel.plugin(HRPlugin())
    panel.create_tables(engine)
    if REST[1:]:
        approve(*REST[1:])
    app = FastAPI()
    panel.mount(app)
    logging = uvicorn.config.LOGGING_CONFIG
    logging["handlers"]["access"]["stream"] = "ext://sys.stderr"
    asyncio.run(Server(uvicorn.Config(app, "127.0.0.1", int(REST[0]), log_config=logging)).serve())
elif VERB == "approve":
    approve(*REST)
elif VERB == "punches":
    with Session(engine) as db:
        for punch in db.scalars(select(Punch).order_by(Punch.id)):
            row = {"serial": punch.device.serial_number, "pin": punch.person, "time": str(punch.punched_at)}
            print(json.dumps(row), flush=True)
else:
    sys.exit(f"no such verb: {VERB}")
