"""Joins a group on the interface that has an address, says so, sends one datagram to it, and answers what comes."""

import sys

from twisted.internet import protocol, reactor


class Peer(protocol.DatagramProtocol):
    def __init__(self, group, interface, port):
        self.group, self.interface, self.port = group, interface, port

    def startProtocol(self):
        self.transport.setOutgoingInterface(self.interface)
        self.transport.joinGroup(self.group, self.interface).addCallback(self.joined)

    def joined(self, _):
        print("joined", flush=True)

    def datagramReceived(self, data, addr):
        if data == b"say something":
            self.transport.write(b"from twisted", (self.group, self.port))
        elif data != b"from twisted":
            self.transport.write(b"re: " + data, addr)


group, interface, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
reactor.listenMulticast(port, Peer(group, interface, port), listenMultiple=True)
reactor.run()
