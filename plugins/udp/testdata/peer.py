"""A peer that speaks UDP with Twisted.

peer.py echo ADDRESS         binds ADDRESS, tells the port, and sends back in upper case what comes
peer.py ask ADDRESS PORT     sends "question" there, tells what comes back, and ends
"""
import sys

from twisted.internet import protocol, reactor


class Echo(protocol.DatagramProtocol):
    def datagramReceived(self, datagram, addr):
        self.transport.write(datagram.upper(), addr)


class Ask(protocol.DatagramProtocol):
    def __init__(self, peer):
        self.peer = peer

    def startProtocol(self):
        self.transport.write(b"question", self.peer)

    def datagramReceived(self, datagram, addr):
        print(datagram.decode(), addr[0], addr[1], flush=True)
        reactor.stop()


verb, address = sys.argv[1:3]
if verb == "echo":
    port = reactor.listenUDP(0, Echo(), interface=address)
    print(port.getHost().port, flush=True)
else:
    reactor.listenUDP(0, Ask((address, int(sys.argv[3]))), interface=address)
reactor.run()
