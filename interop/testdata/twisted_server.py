# Listens with Twisted's serverFromString on argv[1], prints the port, and sends every line back.
import sys
from twisted.internet import endpoints, reactor
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver


class Echo(LineOnlyReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        self.sendLine(line)


def failed(reason):
    print(reason.getErrorMessage(), file=sys.stderr)
    reactor.stop()


reactor.callLater(60, reactor.stop)
d = endpoints.serverFromString(reactor, sys.argv[1]).listen(Factory.forProtocol(Echo))
d.addCallbacks(lambda port: print(port.getHost().port, flush=True), failed)
reactor.run()
