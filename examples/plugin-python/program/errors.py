"""Errors as they are told to the application."""

import os

import plugin_pb2 as wire


class Failure(Exception):
    """An error that is told as it is."""

    def __init__(self, **fields):
        super().__init__(fields.get("message", ""))
        self.error = wire.Error(**fields)


def told(exception):
    """Return what is told of an exception."""
    if isinstance(exception, Failure):
        return exception.error
    if isinstance(exception, OSError) and exception.errno:
        return wire.Error(message=os.strerror(exception.errno), errno=exception.errno)
    return wire.Error(message=f"{type(exception).__name__}: {exception}")
