# Connects with Twisted's clientFromString to each string of argv, one after the other: sends a line, prints the one that
# comes back, and half-closes.
import sys
from twisted.internet import endpoints, reactor
from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineOnlyReceiver

clients = [endpoints.clientFromString(reactor, s) for s in sys.argv[1:]]


class Client(LineOnlyReceiver):
    delimiter = b"\n"

    def connectionMade(self):
        self.sendLine(b"from twisted")

    def lineReceived(self, line):
        print(line.decode(), flush=True)
        self.transport.loseConnection()

    def connectionLost(self, reason):
        dial()


def dial():
    if clients:
        clients.pop(0).connect(Factory.forProtocol(Client)).addErrback(failed)
    elif reactor.running:
        reactor.stop()


def failed(reason):
    print(reason.getErrorMessage(), file=sys.stderr)
    reactor.stop()


reactor.callLater(20, reactor.stop)
reactor.callWhenRunning(dial)
reactor.run()
