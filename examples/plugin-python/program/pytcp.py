"""pytcp: TCP, whose sockets are made here and handed over: no byte of theirs comes by this process."""

import asyncio
import socket

import plugin_pb2 as wire
from errors import Failure, told
from line import DESCRIPTOR
from stream import address

NAME, DOC = "pytcp", "TCP, made by a program in Python."

PARAMS = {
    "client": [
        wire.Param(name="host", doc="the server's IP address", kind="address", positional=True, required=True),
        wire.Param(name="port", doc="the server's port", kind="port", positional=True, required=True),
    ],
    "server": [
        wire.Param(name="port", doc="where to listen; 0 for any that is free", kind="port", positional=True, required=True),
        wire.Param(name="interface", doc="the address to listen on", kind="address", positional=True, default="127.0.0.1"),
        wire.Param(name="backlog", doc="how many connections may wait", kind="uint", bits=16, positional=True, default="50"),
    ],
}


def build(role, args, host):
    """Return an endpoint, or a fault that only this program can find."""
    if role == "server":
        return Server(host.line, args["interface"].text, args["port"].uint, args["backlog"].uint)
    if args["port"].uint == 0:
        return wire.Fault(param="port", message="nobody can listen on port 0")
    return Client(host.line, args["host"].text, args["port"].uint)


def _socket(ip):
    sock = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    return sock


def _failure(op, exception, where):
    """Return the exception as what Go's package net makes of one, so that applications find in it what they look for."""
    failure = Failure()
    failure.error.CopyFrom(told(exception))
    failure.error.op, failure.error.network = op, "tcp"
    failure.error.address.CopyFrom(where)
    return failure


class Client:
    """A client of TCP."""

    def __init__(self, line, ip, port):
        self._line, self._where = line, (ip, port)

    async def open(self, call, emit):
        """Connect, and hand the connection over."""
        where = address(self._where)
        attempt = dict(id=call.id, layer=NAME, network="tcp", remote=where)
        await emit(kind="attempt-start", **attempt)
        began = asyncio.get_running_loop().time()
        done = lambda: int((asyncio.get_running_loop().time() - began) * 1e9)
        with _socket(self._where[0]) as sock:
            try:
                await asyncio.get_running_loop().sock_connect(sock, self._where)
            except OSError as err:
                await emit(kind="attempt-done", error=told(err), elapsed=done(), **attempt)
                raise _failure("dial", err, where) from err
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await emit(kind="attempt-done", local=address(sock.getsockname()), elapsed=done(), **attempt)
            await self._line.send(DESCRIPTOR, call.id, descriptor=sock.fileno())
        return wire.Socket(transfer=wire.Socket.SOCKET)


class Server:
    """A server of TCP."""

    def __init__(self, line, ip, port, backlog):
        self._line, self._where, self._backlog = line, (ip, port), backlog

    async def open(self, call, emit):
        """Listen, and hand the listener over: the application accepts by itself."""
        with _socket(self._where[0]) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(self._where)
                sock.listen(self._backlog)
            except OSError as err:
                raise _failure("listen", err, address(self._where)) from err
            await emit(kind="listening", layer=NAME, network="tcp", local=address(sock.getsockname()))
            await self._line.send(DESCRIPTOR, call.id, descriptor=sock.fileno())
        return wire.Socket(transfer=wire.Socket.SOCKET)
