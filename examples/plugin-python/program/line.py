"""The line on which descriptors travel between the application and this program.

It is descriptor 3, a socket that keeps the bounds of messages. A message has 16 bytes, big-endian, and up to 1024 bytes
of text: the version 1, its kind, six zeros, and the number of the call that it belongs to.
"""

import asyncio
import os
import socket
import struct
import sys

FD = 3

# Kinds of messages.
DESCRIPTOR = 1  # carries what the call has opened
END = 2  # what the call has opened has ended: told by who relays it; the text says why, if not well
CLOSE = 3  # what the call has opened is closed: told by who has it

_HEADER = struct.Struct(">BB6xQ")
_MAX_TEXT = 1024
_CLOEXEC = getattr(socket, "MSG_CMSG_CLOEXEC", 0)


class Ticket:
    """What is to come for a call that this program makes."""

    def __init__(self):
        loop = asyncio.get_running_loop()
        self.descriptor = loop.create_future()
        self.taken = False  # the descriptor has another owner
        self.ended = loop.create_future()


class Line:
    """This program's end of the line."""

    def __init__(self):
        self._socket = socket.socket(fileno=FD)
        # The flag belongs to what both processes share, so it may be either way.
        self._socket.setblocking(False)
        self._tickets = {}
        self._relays = {}
        self._sending = asyncio.Lock()
        self._tasks = set()
        self.gone = asyncio.Event()  # set when the application is
        asyncio.get_running_loop().add_reader(self._socket, self._receive)

    def expect(self, number):
        """Begin to wait for what comes for a call of this program; it comes before the call is made."""
        self._tickets[number] = Ticket()
        return self._tickets[number]

    def forget(self, number):
        """Wait no more. A descriptor that nobody took is closed."""
        ticket = self._tickets.pop(number, None)
        if ticket and ticket.descriptor.done() and not ticket.taken:
            os.close(ticket.descriptor.result())
            self.send_soon(CLOSE, number)

    def relay(self, number):
        """Return an event that is set when the application closes what its call has opened."""
        return self._relays.setdefault(number, asyncio.Event())

    def unrelay(self, number):
        """Wait for that no more."""
        self._relays.pop(number, None)

    async def send(self, kind, number, text="", descriptor=None):
        """Send a message. The descriptor stays open here."""
        data = _HEADER.pack(1, kind, number) + text.encode()[:_MAX_TEXT]
        async with self._sending:
            while True:
                try:
                    socket.send_fds(self._socket, [data], [] if descriptor is None else [descriptor])
                    return
                except BlockingIOError:
                    await self._writable()

    def send_soon(self, kind, number):
        """Send a message from where nothing can be waited for."""
        self.run(self.send(kind, number))

    def run(self, coroutine):
        """Have a coroutine run that nobody waits for. Where it fails the line does, and so does this program."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)  # the loop itself would not keep it
        task.add_done_callback(self._done)

    def _done(self, task):
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            print(f"{task.exception()!r}", file=sys.stderr)
            self._end()

    async def _writable(self):
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        loop.add_writer(self._socket, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_writer(self._socket)

    def _receive(self):
        try:
            # Room for more than is right, so as to know of it.
            data, fds, flags, _ = socket.recv_fds(self._socket, _HEADER.size + _MAX_TEXT + 1, 4, _CLOEXEC)
        except BlockingIOError:
            return
        except OSError:
            data, fds, flags = b"", [], 0
        if len(data) < _HEADER.size or flags & socket.MSG_CTRUNC:
            self._refuse(fds)
            return
        version, kind, number = _HEADER.unpack_from(data)
        if version != 1 or len(fds) != (kind == DESCRIPTOR):
            self._refuse(fds)
            return
        self._deliver(kind, number, data[_HEADER.size :].decode(errors="replace"), fds)

    def _deliver(self, kind, number, text, fds):
        ticket = self._tickets.get(number)
        if kind == CLOSE:
            if number in self._relays:
                self._relays[number].set()
        elif kind == END:
            if ticket and not ticket.ended.done():
                ticket.ended.set_result(text)
        elif ticket and not ticket.descriptor.done():
            ticket.descriptor.set_result(fds[0])
        else:
            # The call was given up. The application has to know that nobody has what it opened.
            os.close(fds[0])
            self.send_soon(CLOSE, number)

    def _refuse(self, fds):
        for fd in fds:
            os.close(fd)
        self._end()

    def _end(self):
        asyncio.get_running_loop().remove_reader(self._socket)
        self.gone.set()
