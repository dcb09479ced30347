# Connects with Twisted's clientFromString to argv[1], sends a line, prints the one that comes back, and half-closes.
import sys
from twisted.internet import endpoints, reactor
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver


class Client(LineOnlyReceiver):
    delimiter = b"\n"

    def connectionMade(self):
        self.sendLine(b"from twisted")

    def lineReceived(self, line):
        print(line.decode(), flush=True)
        self.transport.loseConnection()

    def connectionLost(self, reason):
        if reactor.running:
            reactor.stop()


def failed(reason):
    print(reason.getErrorMessage(), file=sys.stderr)
    reactor.stop()


reactor.callLater(20, reactor.stop)
endpoints.clientFromString(reactor, sys.argv[1]).connect(Factory.forProtocol(Client)).addErrback(failed)
reactor.run()
