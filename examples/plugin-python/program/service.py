"""The service endpoint.plugin.v1.Plugin."""

import grpc

import plugin_pb2 as wire
import pytcp
import rot13
from errors import Failure, told

PLUGINS = {plugin.NAME: plugin for plugin in (pytcp, rot13)}


class Service:
    """What the application calls."""

    def __init__(self, host):
        self._host = host
        self._endpoints = {}
        self._listeners = {}

    def handler(self):
        """Return the service as gRPC takes it."""

        def unary(method, request):
            return grpc.unary_unary_rpc_method_handler(method, request.FromString, _bytes)

        return grpc.method_handlers_generic_handler(
            "endpoint.plugin.v1.Plugin",
            {
                "Describe": unary(self.describe, wire.DescribeRequest),
                "Build": unary(self.build, wire.BuildRequest),
                "Release": unary(self.release, wire.ReleaseRequest),
                "Do": unary(self.do, wire.Call),
                "Trace": grpc.unary_stream_rpc_method_handler(self.trace, wire.Call.FromString, _bytes),
                "Attach": grpc.stream_stream_rpc_method_handler(self._host.attach, wire.FromHost.FromString, _bytes),
            },
        )

    async def describe(self, _request, _context):
        """Tell what this program serves."""
        plugins = [
            wire.PluginInfo(
                name=p.NAME,
                doc=p.DOC,
                roles=[wire.RoleInfo(role=role, params=params) for role, params in p.PARAMS.items()],
            )
            for p in PLUGINS.values()
        ]
        return wire.Description(plugins=plugins, version="1.0")

    async def build(self, request, context):
        """Make an endpoint."""
        if request.plugin not in PLUGINS or request.role not in PLUGINS[request.plugin].PARAMS:
            await context.abort(grpc.StatusCode.NOT_FOUND, "there is no such plugin")
        # What is required or has a default is always there, and of the declared kind: the application has checked it.
        args = {arg.name: arg.value for arg in request.args if arg.HasField("value")}
        built = PLUGINS[request.plugin].build(request.role, args, self._host)
        if isinstance(built, wire.Fault):
            return wire.BuildReply(faults=[built])
        self._endpoints[request.endpoint] = built
        return wire.BuildReply()

    async def release(self, request, _context):
        """Forget an endpoint."""
        self._endpoints.pop(request.endpoint, None)
        return wire.ReleaseReply()

    async def do(self, call, _context):
        """Carry out a call. Where the application cancels it, gRPC cancels what runs here."""

        async def emit(**_event):
            pass

        return await self._result(call, emit)

    async def trace(self, call, context):
        """Carry out a call, and tell what happens."""

        async def emit(**event):
            await context.write(wire.Answer(event=wire.Event(**event)))

        await context.write(wire.Answer(result=await self._result(call, emit)))

    async def _result(self, call, emit):
        try:
            return await self._done(call, emit)
        except Exception as err:  # all that can go wrong is told
            return wire.Result(error=told(err))

    async def _done(self, call, emit):
        if call.operation == wire.Call.OPEN:
            return wire.Result(socket=await self._open(call, emit))
        if call.operation == wire.Call.ACCEPT:
            return wire.Result(socket=await self._listener(call.target).accept(call))
        if call.operation == wire.Call.CLOSE:
            listener = self._listeners.pop(call.target, None)
            if listener:
                listener.close()
            return wire.Result(closed=wire.Closed())
        raise Failure(message="the operation is not known")

    async def _open(self, call, emit):
        endpoint = self._endpoints.get(call.target)
        if endpoint is None:
            raise Failure(message=f"there is no endpoint of the number {call.target}")
        opened = await endpoint.open(call, emit)
        if isinstance(opened, wire.Socket):
            return opened
        self._listeners[call.id] = opened
        return opened.socket

    def _listener(self, number):
        if number not in self._listeners:
            raise Failure(message="the listener is closed", closed=True)
        return self._listeners[number]


def _bytes(message):
    return message.SerializeToString()
