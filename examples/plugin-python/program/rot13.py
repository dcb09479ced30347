"""rot13: a wrapper, which transforms the bytes of any stream."""

import asyncio

import plugin_pb2 as wire
import stream
from errors import Failure

NAME, DOC = "rot13", "Turns the letters of a stream by thirteen places."

_TURNED = bytes(
    (b - a + 13) % 26 + a if (a := 65 if 65 <= b <= 90 else 97 if 97 <= b <= 122 else 0) else b for b in range(256)
)


def turn(data):
    """Return data with its letters turned."""
    return data.translate(_TURNED)


def _endpoint(role):
    return [wire.Param(name="endpoint", doc="what it goes through", kind=role, rest=True, positional=True, required=True)]


PARAMS = {"client": _endpoint("client"), "server": _endpoint("server")}


def build(role, args, host):
    """Return an endpoint."""
    inner = args["endpoint"].endpoint
    return Client(host, inner) if role == "client" else Server(host, inner)


class Client:
    """A client of rot13."""

    def __init__(self, host, inner):
        self._host, self._inner = host, inner

    async def open(self, call, _emit):
        """Connect."""
        opened = await stream.dial(self._host, self._inner, call.id)
        return await stream.give(self._host.line, call.id, opened, turn)


class Server:
    """A server of rot13. Its listeners stay in this process, and the application accepts by calls."""

    def __init__(self, host, inner):
        self._host, self._inner = host, inner

    async def open(self, call, _emit):
        """Listen."""
        listener = await stream.listen(self._host, self._inner, call.id)
        return Kept(self._host, listener)


class Kept:
    """A listener that the application accepts from."""

    def __init__(self, host, listener):
        self._host, self._listener = host, listener
        self._closed = asyncio.Event()

    @property
    def socket(self):
        """What is told of it."""
        return wire.Socket(transfer=wire.Socket.KEPT, local=self._listener.local)

    async def accept(self, call):
        """Wait for a connection, until the listener is closed."""
        loop = asyncio.get_running_loop()
        accepting = loop.create_task(self._listener.accept(call.id))
        closing = loop.create_task(self._closed.wait())
        try:
            await asyncio.wait({accepting, closing}, return_when=asyncio.FIRST_COMPLETED)
            if closing.done():
                raise Failure(message="the listener is closed", closed=True)
            return await stream.give(self._host.line, call.id, accepting.result(), turn)
        finally:
            closing.cancel()
            accepting.cancel()

    def close(self):
        """Close the listener."""
        self._closed.set()
        self._listener.close()
