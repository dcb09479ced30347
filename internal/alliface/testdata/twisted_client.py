"""Connects to every HOST on the command line at once, says its name there, and prints what each answers."""
import sys

from twisted.internet import defer, endpoints, protocol, reactor


class Client(protocol.Protocol):
    def connectionMade(self):
        self.done = defer.Deferred()
        self.transport.write(b"twisted\n")

    def dataReceived(self, data):
        self.done.callback(data.decode().strip())
        self.transport.loseConnection()


@defer.inlineCallbacks
def ask(host, port):
    quoted = host.replace(":", "\\:")
    client = endpoints.clientFromString(reactor, "tcp:%s:%s:timeout=30" % (quoted, port))
    connected = yield endpoints.connectProtocol(client, Client())
    answer = yield connected.done
    print(host, answer, flush=True)


def finish(results):
    for ok, result in results:
        if not ok:
            print(result, file=sys.stderr)
    reactor.stop()


port, hosts = sys.argv[1], sys.argv[2:]
defer.DeferredList([ask(host, port) for host in hosts], consumeErrors=True).addCallback(finish)
reactor.callLater(60, reactor.stop)
reactor.run()
