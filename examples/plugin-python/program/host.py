"""The application, as far as this program calls it: for the endpoints that it has given as arguments."""

import asyncio
import itertools

import plugin_pb2 as wire
from errors import Failure

# A descriptor is sent before the result, so it is here soon or not at all.
_DESCRIPTOR_TIMEOUT = 5


class Host:
    """Makes calls on the stream that the application opens by Attach."""

    def __init__(self, line):
        self.line = line
        self._numbers = itertools.count(1)
        self._outgoing = asyncio.Queue()
        self._waiting = {}

    async def attach(self, answers, _context):
        """Serve the stream, until the application wants this program no more."""
        receiving = asyncio.get_running_loop().create_task(self._receive(answers))
        try:
            while message := await self._outgoing.get():
                yield message
        finally:
            receiving.cancel()
            self.line.gone.set()

    async def _receive(self, answers):
        try:
            async for answer in answers:
                waiting = self._waiting.pop(answer.call, None)
                if waiting and not waiting.done():
                    waiting.set_result(answer.result)
        finally:
            self._outgoing.put_nowait(None)

    async def call(self, operation, target, parent):
        """Make a call on behalf of one of the application's, and return its number, its ticket and its result."""
        number = next(self._numbers)
        ticket = self.line.expect(number)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._send(call=wire.Call(id=number, operation=operation, target=target, parent=parent))
        try:
            result = await waiting
            if result.HasField("error"):
                failure = Failure()
                failure.error.CopyFrom(result.error)
                raise failure
        except asyncio.CancelledError:
            self._waiting.pop(number, None)
            self._send(cancel=number)
            self.line.forget(number)
            raise
        except Failure:
            self.line.forget(number)
            raise
        return number, ticket, result

    def close_soon(self, listener):
        """Close a listener that stays with the application, without waiting for it."""
        self._send(call=wire.Call(id=next(self._numbers), operation=wire.Call.CLOSE, target=listener))

    async def descriptor(self, number, ticket):
        """Wait for the descriptor of what a call has opened."""
        try:
            fd = await asyncio.wait_for(asyncio.shield(ticket.descriptor), _DESCRIPTOR_TIMEOUT)
        except asyncio.TimeoutError:
            self.line.forget(number)
            raise Failure(message="the application has sent no descriptor") from None
        except asyncio.CancelledError:
            self.line.forget(number)
            raise
        ticket.taken = True
        return fd

    def _send(self, **fields):
        self._outgoing.put_nowait(wire.FromPlugin(**fields))
