# Listens with Twisted's serverFromString on each string of argv, prints the ports in that order, and sends every line back.
import sys
from twisted.internet import endpoints, reactor
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver

servers = [endpoints.serverFromString(reactor, s) for s in sys.argv[1:]]


class Echo(LineOnlyReceiver):
    delimiter = b"\n"

    def lineReceived(self, line):
        self.sendLine(line)


def listen(port=None):
    if port:
        print(port.getHost().port, flush=True)
    if servers:
        servers.pop(0).listen(Factory.forProtocol(Echo)).addCallbacks(listen, failed)


def failed(reason):
    print(reason.getErrorMessage(), file=sys.stderr)
    reactor.stop()


reactor.callLater(60, reactor.stop)
reactor.callWhenRunning(listen)
reactor.run()
