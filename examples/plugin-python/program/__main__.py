"""A program that adds endpoints to applications: plugins in Python, over the contract of external/wire."""

import asyncio
import os
import sys

import grpc

import goplugin
from host import Host
from line import Line
from service import PLUGINS, Service

# Where the application is gone, nobody waits for what is under way.
_GRACE = 0.1


async def serve():
    """Serve until the application wants this program to end, or is gone."""
    line = Line()
    service = Service(Host(line))
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((service.handler(), *goplugin.handlers(line.gone)))
    path = goplugin.socket_path()
    credentials, certificate = goplugin.credentials()
    server.add_secure_port("unix:" + path, credentials)
    await server.start()
    print(goplugin.first_line(path, certificate), flush=True)
    await line.gone.wait()
    await server.stop(_GRACE)


def main():
    """Serve, or say what this program is where a person has started it."""
    if goplugin.started():
        if not goplugin.speaks():
            sys.exit(f"the application does not speak version {goplugin.VERSION} of the contract for plugins")
        asyncio.run(serve())
        return
    path = os.path.abspath(sys.argv[0])
    print("This is no program to run by hand: it adds kinds of endpoints to applications.\n", file=sys.stderr)
    for plugin in PLUGINS.values():
        print(f"  {plugin.NAME:12} {plugin.DOC}", file=sys.stderr)
    sys.exit(f"\nInstall it for epctl:\n\n  epctl plugins install {path}")


main()
