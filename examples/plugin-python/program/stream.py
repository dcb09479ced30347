"""Connections and listeners of inner endpoints, and the relay between a connection and the application."""

import asyncio
import contextlib
import os
import socket

import plugin_pb2 as wire
from errors import Failure
from line import CLOSE, DESCRIPTOR, END

_SIZE = 64 << 10


def address(of):
    """Return an address as the application writes it: as Go does."""
    if isinstance(of, tuple):
        host = f"[{of[0]}]" if ":" in of[0] else of[0]
        return wire.Address(network="tcp", text=f"{host}:{of[1]}")
    name = of.decode() if isinstance(of, bytes) else of
    return wire.Address(network="unix", text="@" + name[1:] if name[:1] == "\0" else name)


class Stream:
    """A connection of an inner endpoint: a socket, or one end of a pair that the application relays."""

    def __init__(self, sock, line, number=0, ticket=None, told=None):
        self.socket, self._line, self._number, self._ticket = sock, line, number, ticket
        sock.setblocking(False)
        relayed = told is not None and told.transfer == wire.Socket.RELAY
        self.local = told.local if relayed else address(sock.getsockname())
        self.remote = told.remote if relayed else address(sock.getpeername())
        self.half_close = told.half_close if relayed else True
        if not relayed and ticket:
            self._ticket = None
            line.forget(number)

    async def receive(self):
        """Return what comes, b"" at the end."""
        data = await asyncio.get_running_loop().sock_recv(self.socket, _SIZE)
        # An end that nobody tells is that of the application, not of the peer.
        if not data and self._ticket and (why := await self._ticket.ended):
            raise Failure(message=why)
        return data

    async def send(self, data):
        """Send data."""
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    def finish(self):
        """Tell the peer that no more comes."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        """Close the connection."""
        self.socket.close()
        if self._ticket:
            self._line.forget(self._number)
            self._line.send_soon(CLOSE, self._number)
            self._ticket = None


async def dial(host, target, parent):
    """Open a connection by an inner client."""
    return await _take(host, *await host.call(wire.Call.OPEN, target, parent))


async def _take(host, number, ticket, result):
    if result.socket.transfer not in (wire.Socket.SOCKET, wire.Socket.RELAY):
        raise Failure(message="the application answers with something else than a connection")
    fd = await host.descriptor(number, ticket)
    # From here on it is this stream's.
    return Stream(socket.socket(fileno=fd), host.line, number, ticket, result.socket)


async def listen(host, target, parent):
    """Open a listener by an inner server."""
    number, ticket, result = await host.call(wire.Call.OPEN, target, parent)
    if result.socket.transfer == wire.Socket.KEPT:
        host.line.forget(number)
        return FarListener(host, number, result.socket.local)
    fd = await host.descriptor(number, ticket)
    host.line.forget(number)
    return Listener(socket.socket(fileno=fd), host.line, result.socket.unlink)


class Listener:
    """A listener that is a socket of this process."""

    def __init__(self, sock, line, unlink):
        self._socket, self._line, self._unlink = sock, line, unlink
        sock.setblocking(False)
        self.local = address(sock.getsockname())
        # A loop waits for a socket for one task only.
        self._one = asyncio.Lock()

    async def accept(self, _parent):
        """Wait for a connection."""
        async with self._one:
            sock, _ = await asyncio.get_running_loop().sock_accept(self._socket)
        return Stream(sock, self._line)

    def close(self):
        """Close the listener."""
        self._socket.close()
        if self._unlink:
            os.unlink(self.local.text)


class FarListener:
    """A listener that stays with the application."""

    def __init__(self, host, number, local):
        self._host, self._number, self.local = host, number, local

    async def accept(self, parent):
        """Wait for a connection."""
        return await _take(self._host, *await self._host.call(wire.Call.ACCEPT, self._number, parent))

    def close(self):
        """Close the listener."""
        self._host.close_soon(self._number)


async def give(line, number, stream, turn):
    """Give the application one end of a pair under the number of its call, and relay between the other and a stream.

    All that passes goes through turn. Return what is told of it.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        ours.setblocking(False)
        closed = line.relay(number)  # before anybody can close it
        try:
            await line.send(DESCRIPTOR, number, descriptor=theirs.fileno())
        except BaseException:
            line.unrelay(number)
            ours.close()
            stream.close()
            raise
    line.run(_relay(line, number, stream, ours, closed, turn))
    return wire.Socket(
        transfer=wire.Socket.RELAY, local=stream.local, remote=stream.remote, half_close=stream.half_close
    )


async def _relay(line, number, stream, pair, closed, turn):
    loop, ending = asyncio.get_running_loop(), _Ending(line, number)
    incoming = loop.create_task(_from_peer(ending, stream, pair, turn))
    outgoing = loop.create_task(_to_peer(ending, stream, pair, turn))
    closing = loop.create_task(closed.wait())
    tasks = {incoming, outgoing, closing}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not closing.done() and not (outgoing.done() and not outgoing.result()):
            # One direction has ended; the other lives on.
            rest = {closing, outgoing if incoming.done() else incoming}
            await asyncio.wait(rest, return_when=asyncio.FIRST_COMPLETED)
        if closing.done():
            await outgoing  # what was written before the close is still in the pair
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        line.unrelay(number)
        pair.close()
        stream.close()


class _Ending:
    """Tells once why a relay ends: the application breaks the line with who tells it twice."""

    def __init__(self, line, number):
        self._line, self._number, self._told = line, number, False

    async def tell(self, why=""):
        if not self._told:
            self._told = True
            await self._line.send(END, self._number, why)


async def _from_peer(ending, stream, pair, turn):
    why = ""
    try:
        while data := await stream.receive():
            try:
                await asyncio.get_running_loop().sock_sendall(pair, turn(data))
            except OSError:
                return  # the application wants no more
    except (OSError, Failure) as err:
        why = str(err) or "failed"
    # Told before the pair tells it, so that an end is known from a relay that died.
    await ending.tell(why)
    with contextlib.suppress(OSError):  # the application may have closed its end
        pair.shutdown(socket.SHUT_WR)


async def _to_peer(ending, stream, pair, turn):
    """Return whether the connection lives on with one direction closed."""
    while True:
        try:
            data = await asyncio.get_running_loop().sock_recv(pair, _SIZE)
        except OSError:
            return False
        try:
            if data:
                await stream.send(turn(data))
                continue
            if stream.half_close:
                stream.finish()
            return stream.half_close
        except OSError as err:
            await ending.tell(str(err))
            return False
